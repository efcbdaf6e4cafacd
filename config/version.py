"""The version of this service."""

import tomllib
from functools import cache

from config.settings import PROJECT_ROOT


@cache
def version() -> str:
    """Return the version in `pyproject.toml`: the service runs in its folder, not installed."""
    with (PROJECT_ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
