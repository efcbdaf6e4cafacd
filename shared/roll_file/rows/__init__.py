"""Rows and cells: find the columns, clean the text, check each value.

Imports the formats, limits and errors of `shared.roll_file` only.
"""
