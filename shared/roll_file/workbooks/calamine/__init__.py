"""Reads .xls, .xlsb and .ods with calamine, and finds the cells that calamine leaves out.

Imports the common modules of `workbooks` and what is below them. Does not import `xlsx`.
"""
