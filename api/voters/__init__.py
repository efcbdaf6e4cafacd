"""The resources of the roll: search, one voter, exports, template.

Imports `access`, `rest` and `shared`. It knows no pages.
"""
