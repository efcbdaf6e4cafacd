"""Benchmarks: the speed of an import compared with the bare loading of the same rows."""
