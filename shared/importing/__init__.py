"""One attempt at a job, from the stored file to the committed roll, and what leads to one.

Imports all other rooms of `shared`. Web, worker and commands begin here.
"""
