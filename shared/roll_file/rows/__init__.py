"""Rows and cells: find the columns, clean the text, check each value.

Imports only the fields, formats, limits and errors of `shared.roll_file`.
"""
