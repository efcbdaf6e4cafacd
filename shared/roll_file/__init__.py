"""The core: from the bytes of a roll file to voters and row faults, and back to files.

Plain Python. It knows no web, broker, database or settings.
"""
