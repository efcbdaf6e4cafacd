"""Health, readiness and metrics, for machines.

Imports `access`, `rest` and `shared`.
"""
