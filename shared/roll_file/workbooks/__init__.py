"""Reads workbooks: one interface, with two libraries behind it (openpyxl and calamine).

`opening` chooses the library. The web process imports neither, so `faults` must not import them.
"""
