"""The broker: the message that names a job, its queues and connections.

Imports `config` only. A lost message delays a job but loses nothing.
"""
