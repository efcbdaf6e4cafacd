"""Reads .xls, .xlsb and .ods with calamine, and finds the cells that calamine leaves out.

Imports the interface and the zip guard. It knows nothing of openpyxl.
"""
