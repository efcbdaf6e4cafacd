"""A job is one uploaded file and what becomes of it: states, transitions, statistics.

Imports access, voters, storage and what is below them. It knows no importing.
"""
