"""Users, tokens, passwords and the counters behind rate limits.

Imports the database and the audit table. It knows no jobs and no voters' files.
"""
