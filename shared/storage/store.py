"""The one interface of every upload store."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Protocol


class StoreFull(Exception):
    """The store has no room left for the file."""


class StoreUnavailable(Exception):
    """The store cannot be reached now; trying again later may help."""


class FileLost(Exception):
    """The store has no file under this key."""


class ByteSink(Protocol):
    """Takes the bytes of one file in order."""

    def write(self, data: bytes, /) -> object: ...


class UploadStore(Protocol):
    """Keeps files under keys that this service made up; memory use is a chunk, not a file.

    Every method raises `StoreUnavailable` when the place behind it cannot be reached.
    """

    def writing(self, key: str) -> AbstractContextManager[ByteSink]:
        """Store a new file. It is there when the block ends, and not at all when the block
        raises. Raises `StoreFull`."""

    def open(self, key: str) -> BinaryIO:
        """The file, seekable, for the caller to close. Raises `FileLost`."""

    def delete(self, key: str) -> None:
        """Remove the file, whole or half-written; nothing happens when there is none."""

    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        """Keys of the files, whole or half-written, that nobody has written to for so long."""
