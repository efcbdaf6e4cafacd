"""The roll: voters, their history, searches and counts.

Imports audit, database and what is below them. Does not import jobs or stores.
"""
