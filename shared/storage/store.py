"""The interface of every upload store, and its errors."""

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import BinaryIO, Protocol

from shared.database.outages import OUTAGES

# The form of `uuid4().hex`. A folder or bucket may contain files of others, which are not ours to
# delete.
KEY = re.compile("[0-9a-f]{32}")


class ByteSink(Protocol):
    """A sink for the bytes of one file, in order."""

    def write(self, data: bytes, /) -> object: ...


class UploadStore(Protocol):
    """A store of files under keys that this service generates. Memory use is a chunk, not a file.

    Every method raises `StoreUnavailable` if the place behind it cannot be reached.
    """

    def writer(self, key: str) -> AbstractContextManager[ByteSink]:
        """Store a new file. Raises `StoreFull`.

        The file exists when the block ends. If the block raises, nothing is stored.
        """

    def open(self, key: str) -> BinaryIO:
        """Return the file, seekable, for the caller to close. Raises `FileLost` and `StoreFull`.

        `StoreFull` means that there is no room for a local copy.
        """

    def delete(self, key: str) -> None:
        """Delete the file, complete or partial. Do nothing if there is none."""

    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        """Yield the keys of files, complete or partial, with no write for this long."""

    def check(self) -> None:
        """Return if the place behind the store can be reached, which takes a moment at most."""


@contextmanager
def delete_unless_committed(store: UploadStore, key: str | None) -> Iterator[None]:
    """Delete the file if the block raises before its transaction could name it.

    After a database fault, the commit may have happened although its answer was lost. The file
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
