"""The thread that answers liveness checks, whatever the other threads wait for."""

import threading
from collections.abc import Iterator

import pytest
from flask import Flask

from api.server.connection import Connection
from api.server.threads import Threads, is_liveness_check

WAIT_SECONDS = 60.0


def connection(*, is_check: bool) -> Connection:
    conn: Connection = Connection.__new__(Connection)
    conn.is_liveness_check = is_check
    return conn


@pytest.fixture
def threads() -> Iterator[Threads]:
    with Threads(1) as started:
        yield started


@pytest.mark.parametrize(
    ("received", "is_check"),
    [
        (b"GET /health/live HTTP/1.1\r\n\r\n", True),
        (b"HEAD /health/live HTTP/1.1\r\n\r\n", True),
        (b"GET /health/live/ HTTP/1.1\r\n\r\n", True),
        (b"GET /health/live?from=platform HTTP/1.1\r\n\r\n", True),
        (b"POST /health/live HTTP/1.1\r\n\r\n", False),
        (b"GET /health/lively HTTP/1.1\r\n\r\n", False),
        (b"GET /health/live/../../api/voters/ HTTP/1.1\r\n\r\n", False),
        (b"GET /health/ready HTTP/1.1\r\n\r\n", False),
        (b"GET / HTTP/1.1\r\nX: GET /health/live \r\n\r\n", False),
    ],
)
def test_only_the_liveness_check_has_a_thread_of_its_own(received: bytes, is_check: bool) -> None:
    assert is_liveness_check(bytearray(received)) is is_check


def test_a_check_waits_for_no_other_request(threads: Threads) -> None:
    ending = threading.Event()
    try:
        held = threads.submit(lambda _: ending.wait(WAIT_SECONDS), connection(is_check=False))
        waiting = threads.submit(lambda _: "request", connection(is_check=False))
        check = threads.submit(lambda _: "check", connection(is_check=True))
        assert check.result(WAIT_SECONDS) == "check"
        assert not waiting.done()
    finally:
        ending.set()
    assert held.result(WAIT_SECONDS) is True
    assert waiting.result(WAIT_SECONDS) == "request"


def test_the_end_of_the_pool_ends_the_thread_for_checks_too(threads: Threads) -> None:
    threads.shutdown()
    for is_check in (True, False):
        with pytest.raises(RuntimeError, match="after shutdown"):
            threads.submit(lambda _: None, connection(is_check=is_check))


@pytest.mark.parametrize("path", ["/health/live", "/health/live/"])
def test_the_application_serves_what_the_thread_recognises(app: Flask, path: str) -> None:
    assert is_liveness_check(bytearray(f"GET {path} HTTP/1.1\r\n".encode()))
    with app.test_request_context(path) as context:
        assert context.request.endpoint == "Health.live"
