"""The resources of jobs: upload, status, list, actions, files.

Imports `access`, `rest` and `shared`. It knows no pages.
"""
