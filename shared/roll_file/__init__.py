"""The core: turn the bytes of a roll file into voters and row faults, and write files.

Plain Python. It does not import web, broker, database or settings.
"""
