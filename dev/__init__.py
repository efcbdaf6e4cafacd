"""Tools for development: what `make run`, `make audit` and `make reference` use."""
