"""The errors of a store of uploaded files."""

from shared.errors import VoterSystemError


class StoreFull(VoterSystemError):
    """The store has no room left for the file."""


class StoreUnavailable(VoterSystemError):
    """The store cannot be reached now. Trying again later may help."""


class FileLost(VoterSystemError):
    """The store has no file under this key."""
