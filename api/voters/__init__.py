"""The resources of the roll: search, one voter, exports, template.

May import `access`, `rest` and the packages below them, but no other resource.
"""
