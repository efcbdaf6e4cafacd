"""The resource of the audit table.

Imports `access`, `rest` and `shared.audit`.
"""
