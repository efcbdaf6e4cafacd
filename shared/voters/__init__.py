"""The roll: voters, their history, searches and counts.

Imports audit and database. It knows no jobs and no files.
"""
