"""The web process and the `flask` commands.

May import `shared` and `config`, never `consumer`. Its packages form layers, see pyproject.toml.
"""
