"""Reads CSV: encoding, delimiter, lines and quotation marks.

Imports `rows` and what is below it. It knows no workbooks.
"""
