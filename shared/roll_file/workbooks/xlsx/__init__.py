"""Reads .xlsx and .xlsm with openpyxl, after checks of the package's parts.

Imports the common modules of `workbooks` and what is below them. Does not import `calamine`.
"""
