"""The code that the web process, the worker and the commands share.

Imports from `config` only. Its rooms form layers, see `tool.importlinter` in pyproject.toml.
"""
