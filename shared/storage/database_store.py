"""Store uploads as chunks in a table, for a platform whose web and worker have separate disks."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from peewee import (
    BlobField,
    DateTimeField,
    IntegerField,
    TextField,
    fn,
)

from shared.database.connection import BaseModel
from shared.database.outages import OUTAGES, is_disk_full
from shared.database.sql import clock
from shared.storage.errors import FileLost, StoreFull, StoreUnavailable
from shared.storage.local_copy import local_copy

CHUNK_BYTES = 1024 * 1024


class StoredChunk(BaseModel):
    """One chunk of an uploaded file, of at most one mebibyte."""

    key = TextField()
    number = IntegerField()
    data = BlobField()
    stored_at = DateTimeField()

    class Meta:
        primary_key = False


class DatabaseStore:
    """An upload store in the database.

    Each chunk is a short transaction of its own, so a slow upload holds no lock and no connection.
    The chunks of an interrupted upload are deleted. The chunks of a killed process stay behind, and
    no job names them.
    """

    @contextmanager
    def writer(self, key: str) -> Iterator["_ChunkWriter"]:
        writer = _ChunkWriter(key)
        try:
            yield writer
            writer.flush()
        except BaseException:
            self.delete(key)
            raise

    def open(self, key: str) -> BinaryIO:
        with _converting_errors():
            return local_copy(_chunks(key))

    def delete(self, key: str) -> None:
        with _converting_errors():
            StoredChunk.delete().where(StoredChunk.key == key).execute()

    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        old = (
            StoredChunk.select(StoredChunk.key)
            .group_by(StoredChunk.key)
            .having(fn.MAX(StoredChunk.stored_at) <= clock(-older_than_seconds))
        )
        with _converting_errors():
            yield from [chunk.key for chunk in old]

    def check(self) -> None:
        with _converting_errors():
            StoredChunk.select(StoredChunk.number).limit(1).scalar()


class _ChunkWriter:
    def __init__(self, key: str) -> None:
        self.key = key
        self.number = 0
        self.buffer = bytearray()

    def write(self, data: bytes) -> int:
        self.buffer += data
        while len(self.buffer) >= CHUNK_BYTES:
            self._store(CHUNK_BYTES)
        return len(data)

    def flush(self) -> None:
        if self.buffer:
            self._store(len(self.buffer))

    def _store(self, size_bytes: int) -> None:
        with _converting_errors():
            StoredChunk.insert(
                key=self.key,
                number=self.number,
                data=bytes(self.buffer[:size_bytes]),
                stored_at=clock(),
            ).execute()
        del self.buffer[:size_bytes]
        self.number += 1


def _chunks(key: str) -> Iterator[bytes]:
    count = StoredChunk.select().where(StoredChunk.key == key).count()
    if not count:
        raise FileLost(f"no chunk is stored for {key}")
    for number in range(count):
        yield _chunk(key, number)


def _chunk(key: str, number: int) -> bytes:
    chunk = StoredChunk.get_or_none((StoredChunk.key == key) & (StoredChunk.number == number))
    if chunk is None:
        raise FileLost(f"chunk {number} of {key} is missing")
    return bytes(chunk.data)


@contextmanager
def _converting_errors() -> Iterator[None]:
    try:
        yield
    except OUTAGES as error:
        if is_disk_full(error):
            raise StoreFull("the database that keeps the uploads has no room left") from error
        raise StoreUnavailable("the database that keeps the uploads cannot be used") from error
