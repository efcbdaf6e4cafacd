"""One attempt at a job, from the stored file to the committed roll, and what starts a job.

Imports every other room of `shared` but not `deletion`. Web, worker and commands start here.
"""
