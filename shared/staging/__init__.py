"""The TEMP tables of one attempt, and the SQL that stages, compares and applies rows.

Imports jobs, voters and what is below them. Call a function inside the roll's lock if its docstring
says so.
"""
