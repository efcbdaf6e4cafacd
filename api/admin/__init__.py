"""The pages under /admin/: what the API does, for users in a browser.

May import the resources and the packages below them, but not `commands`. Only `api.app` imports it.
"""
