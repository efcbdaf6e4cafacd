"""Jobs: one uploaded file each and what becomes of it. States, transitions, statistics.

Imports access, voters, storage and what is below them. Does not import `importing`.
"""
