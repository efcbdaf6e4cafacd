"""Which version of this service the process is."""

import tomllib
from functools import cache

from config.settings import PROJECT_ROOT


@cache
def version() -> str:
    """As `pyproject.toml` has it: the service is run from its folder, not installed."""
    with (PROJECT_ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])
