"""Reads .xlsx and .xlsm with openpyxl, after checks of the package's parts.

Imports the interface and the zip guard. It knows nothing of calamine.
"""
