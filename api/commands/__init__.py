"""The `flask` commands: migrate, import, users, tokens, audit, retention, status.

May import the resources and the packages below them, but not the pages.
"""
