"""The pages under /admin/: what the API does, for users in a browser.

Imports the resources' helpers, `access` and `shared`. No other room of `api` imports it.
"""
