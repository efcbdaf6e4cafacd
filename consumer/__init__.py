"""The worker: a parent that receives and claims jobs, and a job process for each of them.

Imports `shared` and `config`, never `api`.
"""
