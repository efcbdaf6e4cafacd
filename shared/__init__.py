"""What the web process, the worker and the commands have in common.

Imports from `config` only. Its rooms form layers, see `tool.importlinter` in pyproject.toml.
"""
