"""Users, tokens, passwords, and the counters of rate limits.

Imports audit, database and `roll_file`. Does not import jobs or voters.
"""
