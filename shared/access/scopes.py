"""The scopes of tokens."""

from enum import StrEnum


class Scope(StrEnum):
    """What a token may do. ADMIN includes the others."""

    READ = "read"
    IMPORT = "import"
    METRICS = "metrics"
    ADMIN = "admin"
