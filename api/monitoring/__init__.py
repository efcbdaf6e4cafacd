"""Health, readiness and metrics, for machines.

May import `access`, `rest` and the packages below them, but no other resource.
"""
