"""Flask's commands: migrate, import, users, tokens, audit, retention, status.

Imports resources' helpers and `shared`. It knows no pages.
"""
