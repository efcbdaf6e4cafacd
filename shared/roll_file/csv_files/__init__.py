"""Reads CSV: encoding, delimiter, lines and quotation marks.

Imports `rows` and what is below it. Does not import `workbooks`.
"""
