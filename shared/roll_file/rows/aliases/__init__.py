"""The headings that mean a field, one module of flat data for each language.

Imports only `shared.roll_file.rows.text`.
"""
