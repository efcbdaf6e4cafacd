"""The resources of jobs: upload, status, list, actions, files.

May import `access`, `rest` and the packages below them, but no other resource.
"""
