"""The web process and the commands.

Imports `shared` and `config`, never `consumer`. Its rooms form layers, see pyproject.toml.
"""
