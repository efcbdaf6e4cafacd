"""The one interface of every upload store."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, Protocol

from shared.database.outages import OUTAGES

# What `uuid4().hex` gives. A folder or bucket may hold files of others, not ours to delete.
KEY = re.compile("[0-9a-f]{32}")


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

    def check(self) -> None:
        """Return when the place behind it can be reached, which takes a moment at most."""


@contextmanager
def deleted_unless_committed(store: UploadStore, key: str | None) -> Iterator[None]:
    """Delete a file that a transaction in this block was to name, when the block raises.

    After a database fault the commit may have happened although its answer was lost: the file
    stays then. If no job names it, the sweeper removes it.
    """
    try:
        yield
    except OUTAGES:
        raise
    except BaseException:
        if key:
            store.delete(key)
        raise
