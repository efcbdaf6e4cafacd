"""The database connection, its SQL dialects and the migrations.

Imports `config` only. Each model belongs to the room of its domain.
"""
