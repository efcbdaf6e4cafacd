"""Errors of a bucket and its server."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from threading import Timer
from uuid import uuid4

import pytest

from shared.storage.errors import FileLost, StoreUnavailable
from shared.storage.object_store import PART_BYTES, ObjectStore
from tests.support.object_server import ObjectServer, environment
from tests.support.relay import Relay, relay_to
from tests.support.running import wait_for

PATIENCE_SECONDS = 0.7


@pytest.fixture
def relay(buckets: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    with relay_to(buckets.url) as relay:
        for name, value in environment(relay.url).items():
            monkeypatch.setenv(name, value)
        yield relay


@pytest.fixture
def bucket(buckets: ObjectServer) -> str:
    return buckets.new_bucket()


@pytest.fixture
def store(relay: Relay, bucket: str) -> ObjectStore:
    return ObjectStore(f"s3://{bucket}/up/loads", request_seconds=PATIENCE_SECONDS)


def keys(store: ObjectStore) -> list[str]:
    return list(store.keys(older_than_seconds=-1))


def parts_left(buckets: ObjectServer, bucket: str) -> bool:
    return "<UploadId>" in buckets.ask(f"/{bucket}?uploads")


def test_nothing_stays_of_an_upload_that_breaks_off(
    store: ObjectStore, buckets: ObjectServer, bucket: str
) -> None:
    with pytest.raises(ZeroDivisionError), store.writer("a") as sink:
        for _ in range(4):
            sink.write(b"x" * PART_BYTES)
        wait_for(lambda: parts_left(buckets, bucket), "no part was sent while it was written")
        raise ZeroDivisionError
    assert not parts_left(buckets, bucket)
    assert "<Contents>" not in buckets.ask(f"/{bucket}")


def test_nothing_can_be_seen_of_the_upload_of_a_killed_process(
    store: ObjectStore, buckets: ObjectServer, bucket: str
) -> None:
    program = (
        "import time; from shared.storage.object_store import ObjectStore, PART_BYTES\n"
        f"with ObjectStore('s3://{bucket}/up/loads').writer('a') as sink:\n"
        "    sink.write(b'x' * 3 * PART_BYTES); time.sleep(60)"
    )
    writer = subprocess.Popen([sys.executable, "-c", program])
    wait_for(lambda: parts_left(buckets, bucket), "no part was sent")
    writer.send_signal(signal.SIGKILL)
    writer.wait(5)
    with pytest.raises(FileLost):
        store.open("a")
    assert keys(store) == []


@pytest.mark.parametrize("size_bytes", [1, 3 * PART_BYTES])
def test_a_hung_server_is_given_up_in_time_and_stores_nothing(
    store: ObjectStore, relay: Relay, size_bytes: int
) -> None:
    started_at = time.monotonic()
    with pytest.raises(StoreUnavailable), store.writer("a") as sink:
        relay.freeze()
        sink.write(b"x" * size_bytes)
    for ask in (store.check, lambda: store.open("a"), lambda: store.delete("a")):
        with pytest.raises(StoreUnavailable, match="no answer"):
            ask()
    # Each call is one request. A broken multipart upload makes a second one, to discard its parts.
    assert time.monotonic() - started_at < 5 * PATIENCE_SECONDS + 1
    relay.thaw()
    store.check()


def test_a_server_that_comes_back_is_used_again(store: ObjectStore, relay: Relay) -> None:
    with store.writer("a") as sink:
        sink.write(b"x")
    relay.close()
    for ask in (
        store.check,
        lambda: store.open("a"),
        lambda: list(store.keys(older_than_seconds=0)),
    ):
        with pytest.raises(StoreUnavailable):
            ask()
    relay.open()
    with store.open("a") as file:
        assert file.read() == b"x"


def test_a_server_that_is_away_for_a_moment_is_asked_again(relay: Relay, bucket: str) -> None:
    store = ObjectStore(f"s3://{bucket}/up/loads")
    relay.close()
    Timer(0.1, relay.open).start()
    with store.writer("a") as sink:
        sink.write(b"x")
    with store.open("a") as file:
        assert file.read() == b"x"


def test_a_missing_bucket_makes_no_file_look_lost_or_deleted(relay: Relay) -> None:
    store = ObjectStore("s3://nobodys/up")
    for ask in (lambda: store.open("a"), lambda: store.delete("a"), store.check):
        with pytest.raises(StoreUnavailable, match="404 Not Found"):
            ask()
    with pytest.raises(StoreUnavailable), store.writer("a") as sink:
        sink.write(b"x")


def test_what_others_keep_in_the_bucket_is_not_listed(
    store: ObjectStore, buckets: ObjectServer, bucket: str
) -> None:
    for name in (
        "notes.txt",
        f"up/{uuid4().hex}",
        "up/loads/roll.csv",
        f"up/loads/x/{uuid4().hex}",
    ):
        buckets.ask(f"/{bucket}/{name}", "PUT")
    assert keys(store) == []


@pytest.mark.usefixtures("relay")
def test_memory_is_flat_in_the_size_of_the_file(bucket: str) -> None:
    program = (
        "import resource\n"
        "from shared.storage.object_store import ObjectStore, PART_BYTES\n"
        f"store = ObjectStore('s3://{bucket}/up/loads')\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "with store.writer('a') as sink:\n"
        "    for _ in range(12 * 20):\n"
        "        sink.write(b'x' * (PART_BYTES // 20))\n"
        "store.open('a').close()\n"
        "print(peak() - before)"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert int(shown.stdout) < 40
