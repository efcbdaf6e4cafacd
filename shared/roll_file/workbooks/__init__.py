"""Reads workbooks: one interface, two libraries behind it (openpyxl and calamine).

`opening` chooses the library. The web process imports neither, so `faults` stays free of both.
"""
