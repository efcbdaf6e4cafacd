"""Stage, compare, apply: the TEMP tables of one attempt, and the SQL that compares them.

Imports jobs, voters and what is below them. Call it inside the roll's lock where it says so.
"""
