"""Store uploads as objects of a bucket, for web and workers on any number of machines."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import BinaryIO

import obstore
from obstore.exceptions import BaseError

from config.buckets import open_bucket
from shared.storage.errors import FileLost, StoreFull, StoreUnavailable
from shared.storage.local_copy import local_copy
from shared.storage.store import KEY, ByteSink

# The request to a hung server must end before a platform's router ends the client's (30 seconds).
# This includes the deletion of the parts of a broken upload.
REQUEST_SECONDS = 10.0
CHECK_SECONDS = 1.0
# The smallest part that S3 accepts. A smaller file is one request.
PART_BYTES = 5 * 1024 * 1024
PARTS_AT_ONCE = 2
READ_BYTES = 4 * 1024 * 1024
# Listing from here on finds none of our keys, however many there are.
BEYOND_KEYS = "g"
# The status of MinIO and others if their disks or a quota are full.
FULL = "507"
STATUS = re.compile(r"status code: (\d{3}[ A-Za-z]*)")


class ObjectStore:
    """An upload store in a bucket.

    An object appears when its last part has arrived, so a reader never sees half of one. The parts
    of an interrupted upload are deleted. The parts of a killed process stay in the bucket unseen,
    until the bucket's own rule for incomplete uploads removes them.
    """

    def __init__(self, url: str, *, request_seconds: float = REQUEST_SECONDS) -> None:
        self._bucket = open_bucket(url, request_seconds)
        self._hasty = open_bucket(url, min(request_seconds, CHECK_SECONDS))

    @contextmanager
    def writer(self, key: str) -> Iterator[ByteSink]:
        with (
            _converting_errors(),
            obstore.open_writer(
                self._bucket, key, buffer_size=PART_BYTES, max_concurrency=PARTS_AT_ONCE
            ) as writer,
        ):
            yield writer

    def open(self, key: str) -> BinaryIO:
        return local_copy(self._blocks(key))

    def _blocks(self, key: str) -> Iterator[bytes]:
        """Yield the blocks with one request each, so no request takes longer for a larger file."""
        try:
            with _converting_errors():
                size_bytes = obstore.head(self._bucket, key)["size"]
                for start in range(0, size_bytes, READ_BYTES):
                    end = min(start + READ_BYTES, size_bytes)
                    yield obstore.get_range(self._bucket, key, start=start, end=end).to_bytes()
        except StoreUnavailable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                # Without this check, every file of a missing bucket would look lost.
                self.check()
                raise FileLost(f"no object is stored for {key}") from error
            raise

    def delete(self, key: str) -> None:
        with _converting_errors():
            try:
                obstore.delete(self._bucket, key)
            except FileNotFoundError:
                self.check()

    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        latest = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        with _converting_errors():
            for batch in obstore.list(self._bucket):
                for entry in batch:
                    if KEY.fullmatch(entry["path"]) and entry["last_modified"] <= latest:
                        yield entry["path"]

    def check(self) -> None:
        with _converting_errors():
            for _ in obstore.list(self._hasty, offset=BEYOND_KEYS):
                return


@contextmanager
def _converting_errors() -> Iterator[None]:
    """Convert the library's errors to errors of a store.

    Its messages contain the URL, which may contain Azure's signatures. Only the server's status is
    therefore passed on.
    """
    try:
        yield
    except (BaseError, OSError) as error:
        status = STATUS.search(str(error))
        if status and status[1].startswith(FULL):
            raise StoreFull("the bucket has no room left") from error
        reason = f"its server says {status[1]}" if status else f"no answer ({type(error).__name__})"
        raise StoreUnavailable(f"the bucket cannot be used: {reason}") from error
