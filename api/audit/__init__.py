"""The resource of the audit table.

May import `access`, `rest` and the packages below them, but no other resource.
"""
