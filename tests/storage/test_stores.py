"""One test suite for every supported upload store."""

import errno
import os
import resource
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from peewee import IntegrityError

from shared.database.connection import database
from shared.database.sql import clock
from shared.storage.choice import open_store
from shared.storage.database_store import CHUNK_BYTES, StoredChunk
from shared.storage.errors import FileLost, StoreFull, StoreUnavailable
from shared.storage.file_store import FileStore
from shared.storage.object_store import PART_BYTES
from shared.storage.store import UploadStore
from tests.support.object_server import ObjectServer, environment


@pytest.fixture(params=["file", "database", "s3", "gs"])
def store(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    any_database: object,
    buckets: ObjectServer,
    monkeypatch: pytest.MonkeyPatch,
) -> UploadStore:
    if request.param == "file":
        return open_store(f"file:{tmp_path / 'uploads'}")
    if request.param == "database":
        return open_store("database:")
    for name, value in environment(buckets.url).items():
        monkeypatch.setenv(name, value)
    return open_store(f"{request.param}://{buckets.new_bucket()}/up/loads")


def write_file(store: UploadStore, key: str, *parts: bytes) -> None:
    with store.writer(key) as sink:
        for part in parts:
            sink.write(part)


@pytest.mark.parametrize(
    "size",
    [1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7, 2 * PART_BYTES + 7],
)
def test_what_was_written_is_read_back(store: UploadStore, size: int) -> None:
    content = bytes(range(256)) * (size // 256 + 1)
    write_file(store, "a", content[: size // 2], content[size // 2 : size])
    with store.open("a") as file:
        assert file.read() == content[:size]
        assert file.seek(0) == 0
        assert file.read(3) == content[:3][:size]


def test_two_files_do_not_touch_each_other(store: UploadStore) -> None:
    write_file(store, "a", b"first")
    write_file(store, "b", b"second")
    store.delete("a")
    with store.open("b") as file:
        assert file.read() == b"second"


def test_an_upload_that_breaks_off_is_not_there(store: UploadStore) -> None:
    with pytest.raises(ZeroDivisionError), store.writer("a") as sink:
        sink.write(b"x" * (2 * CHUNK_BYTES))
        raise ZeroDivisionError
    with pytest.raises(FileLost):
        store.open("a")


def test_a_store_that_can_be_used_says_so(store: UploadStore) -> None:
    store.check()
    write_file(store, "a", b"x")
    store.check()


def test_a_deleted_file_is_lost_and_deleting_it_again_is_nothing(store: UploadStore) -> None:
    write_file(store, "a", b"x")
    store.delete("a")
    store.delete("a")
    with pytest.raises(FileLost):
        store.open("a")


def test_a_broken_off_upload_leaves_no_partial_file(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    with pytest.raises(ZeroDivisionError), store.writer("a") as sink:
        sink.write(b"x")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_used_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    store = FileStore(tmp_path / "taken")
    with pytest.raises(StoreUnavailable), store.writer("a"):
        pass
    with pytest.raises(StoreUnavailable):
        store.check()


def test_a_full_disk_is_distinguished_from_a_broken_one(tmp_path: Path) -> None:
    with pytest.raises(StoreFull), FileStore(tmp_path).writer("a"):
        raise OSError(errno.ENOSPC, "No space left on device")


def test_the_name_of_a_stored_file_is_on_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[list[str]] = []

    def noting_fsync(descriptor: int, fsync: Callable[[int], None] = os.fsync) -> None:
        fsync(descriptor)
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            synced.append(os.listdir(descriptor))

    monkeypatch.setattr(os, "fsync", noting_fsync)
    write_file(FileStore(tmp_path), "a", b"x")
    assert synced == [["a"]]


@pytest.mark.usefixtures("any_database")
def test_no_room_for_a_copy_of_the_chunks_is_a_full_disk() -> None:
    store = open_store("database:")
    write_file(store, "a", b"x" * (3 * CHUNK_BYTES))
    with largest_file(2 * CHUNK_BYTES), pytest.raises(StoreFull):
        store.open("a")
    with store.open("a") as file:
        assert len(file.read()) == 3 * CHUNK_BYTES


@contextmanager
def largest_file(size_bytes: int) -> Iterator[None]:
    """Limit the size of files in this process, so writes fail as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_keys_of_old_files_can_be_listed(store: UploadStore) -> None:
    first, second = sorted(uuid4().hex for _ in range(2))
    assert list(store.keys(older_than_seconds=0)) == []
    write_file(store, first, b"x" * (2 * CHUNK_BYTES))
    write_file(store, second, b"x")
    assert list(store.keys(older_than_seconds=60)) == []
    assert sorted(store.keys(older_than_seconds=-1)) == [first, second]
    store.delete(first)
    assert list(store.keys(older_than_seconds=-1)) == [second]


def test_a_half_written_file_is_listed_and_deleted_by_its_key(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    key = uuid4().hex
    (tmp_path / f"{key}.part").write_bytes(b"x")
    assert list(store.keys(older_than_seconds=-1)) == [key]
    store.delete(key)
    assert list(tmp_path.iterdir()) == []


def test_what_others_keep_in_the_folder_is_not_listed(tmp_path: Path) -> None:
    for name in ("voters.db", "roll.csv", "notes.part", "A" * 32, "0" * 31, "0" * 33):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / uuid4().hex).mkdir()
    (tmp_path / "lost+found").mkdir()
    assert list(FileStore(tmp_path).keys(older_than_seconds=-1)) == []


@pytest.mark.usefixtures("any_database")
def test_a_missing_chunk_is_a_lost_file() -> None:
    store = open_store("database:")
    write_file(store, "a", b"x" * (2 * CHUNK_BYTES + 1))
    StoredChunk.delete().where(StoredChunk.number == 1).execute()
    with pytest.raises(FileLost):
        store.open("a")


@pytest.mark.usefixtures("any_database")
def test_a_chunk_is_stored_once() -> None:
    StoredChunk.insert(key="a", number=0, data=b"x", stored_at=clock()).execute()
    with pytest.raises(IntegrityError), database.atomic():
        StoredChunk.insert(key="a", number=0, data=b"y", stored_at=clock()).execute()
