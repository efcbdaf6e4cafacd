"""How fast an import is, beside the bare loading of the same rows."""
