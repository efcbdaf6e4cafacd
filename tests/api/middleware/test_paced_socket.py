"""The time limits for a thread that waits for a client."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from api.middleware.errors import TooSlow
from api.middleware.paced_socket import (
    AUTHENTICATED,
    BACKLOG_BYTES,
    STRANGER,
    Pace,
    PacedSocket,
    give_time,
)
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.connection import database

PACE = Pace(seconds=0.3, bytes_per_second=1000)


@pytest.fixture
def pair() -> Iterator[tuple[PacedSocket, socket.socket]]:
    """The server's end and the client's end of a connection."""
    ours, theirs = socket.socketpair()
    with PacedSocket(ours) as paced, theirs:
        paced.show(PACE)
        yield paced, theirs


def trickle(theirs: socket.socket, block: bytes, times: int) -> threading.Thread:
    """Send a block ten times a second."""

    def send() -> None:
        for _ in range(times):
            time.sleep(0.1)
            theirs.sendall(block)

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_a_silent_client_is_waited_for_no_longer(pair: tuple[PacedSocket, socket.socket]) -> None:
    started = time.monotonic()
    with pytest.raises(TooSlow):
        pair[0].recv(100)
    assert 0.2 < time.monotonic() - started < 2


def test_a_trickle_is_not_enough(pair: tuple[PacedSocket, socket.socket]) -> None:
    sender = trickle(pair[1], b"x", 10)
    with pytest.raises(TooSlow):
        for _ in range(10):
            pair[0].recv(100)
    sender.join()


def test_bytes_earn_time(pair: tuple[PacedSocket, socket.socket]) -> None:
    sender = trickle(pair[1], b"x" * 200, 10)
    received = sum(len(pair[0].recv(200)) for _ in range(10))
    assert received == 2000
    sender.join()


def test_the_time_of_the_service_costs_the_client_nothing(
    pair: tuple[PacedSocket, socket.socket],
) -> None:
    time.sleep(0.5)
    pair[1].sendall(b"x")
    assert pair[0].recv(100) == b"x"


def test_a_client_that_stops_is_given_up_whatever_it_sent(
    pair: tuple[PacedSocket, socket.socket],
) -> None:
    pair[1].sendall(b"x" * 50_000)
    received = 0
    while received < 50_000:
        received += len(pair[0].recv(1000))
    with pytest.raises(TooSlow):
        pair[0].recv(100)


def test_a_client_that_reads_nothing_is_given_up(pair: tuple[PacedSocket, socket.socket]) -> None:
    with pytest.raises(TooSlow):
        for _ in range(1000):
            pair[0].sendall(b"x" * 10_000)
    assert not pair[0].has_backlog


def test_a_stranger_that_reads_nothing_is_not_waited_for(
    pair: tuple[PacedSocket, socket.socket],
) -> None:
    pair[0].begin()
    content = b"".join(number.to_bytes(4) for number in range(500_000))
    pair[0].sendall(content)
    assert pair[0].has_backlog
    assert read_all(pair, len(content)) == content


def test_what_a_known_client_may_leave_is_bounded(pair: tuple[PacedSocket, socket.socket]) -> None:
    taken = bytearray()

    def take() -> None:
        while len(taken) < 3_000_000:
            taken.extend(pair[1].recv(100_000))

    reader = threading.Thread(target=take)
    reader.start()
    for _ in range(300):
        pair[0].sendall(b"x" * 10_000)
        assert pair[0].backlog_bytes <= BACKLOG_BYTES
    while pair[0].has_backlog:
        pair[0].send_backlog()
    reader.join()


def read_all(pair: tuple[PacedSocket, socket.socket], size_bytes: int) -> bytes:
    """Read `size_bytes` at the client while the server's end sends its backlog."""
    taken = bytearray()
    while len(taken) < size_bytes:
        taken += pair[1].recv(100_000)
        pair[0].send_backlog()
    return bytes(taken)


def test_a_stranger_is_not_waited_for_at_all(pair: tuple[PacedSocket, socket.socket]) -> None:
    pair[0].begin()
    with pytest.raises(TooSlow):
        pair[0].recv(100)
    pair[1].sendall(b"x")
    assert pair[0].recv(100) == b"x"


def test_each_request_begins_as_a_stranger_s(pair: tuple[PacedSocket, socket.socket]) -> None:
    pair[0].begin()
    assert pair[0].pace is STRANGER
    give_time({"gunicorn.socket": pair[0]})
    assert pair[0].pace is AUTHENTICATED
    pair[0].begin()
    assert pair[0].pace is STRANGER


class Failing:
    """The body of a client that has stopped sending or has disconnected."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def read(self, size: int = -1) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(TooSlow(), "408", b"too slowly"), (ConnectionResetError(), "400", b"broke off")],
)
def test_a_body_that_does_not_arrive_is_reported_as_such(
    app: Flask, error: OSError, status: str, words: bytes
) -> None:
    token = create_token("test", [Scope.IMPORT])
    database.close()
    environ = create_environ(
        "/api/upload/",
        method="POST",
        headers={"Authorization": f"Bearer {token}"},
        content_type="multipart/form-data; boundary=x",
    )
    environ.update({"wsgi.input": Failing(error), "CONTENT_LENGTH": "1000"})
    body, answered, _ = run_wsgi_app(app, environ)
    assert answered.startswith(status)
    assert words in b"".join(body)
