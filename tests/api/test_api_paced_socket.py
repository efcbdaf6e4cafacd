"""How long a thread waits for a client."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.test import create_environ, run_wsgi_app

from api.paced_socket import KNOWN, STRANGER, Pace, PacedSocket, TooSlow, give_time
from shared.credentials import Scope, create_token
from shared.database import database

PACE = Pace(seconds=0.3, bytes_per_second=1000)


@pytest.fixture
def pair() -> Iterator[tuple[PacedSocket, socket.socket]]:
    """Our end and the client's."""
    ours, theirs = socket.socketpair()
    with PacedSocket(ours) as paced, theirs:
        paced.pace = PACE
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


def test_who_does_not_take_an_answer_is_waited_for_no_longer(
    pair: tuple[PacedSocket, socket.socket],
) -> None:
    with pytest.raises(TooSlow):
        for _ in range(1000):
            pair[0].sendall(b"x" * 100)


def test_who_was_too_slow_may_still_take_the_answer(
    pair: tuple[PacedSocket, socket.socket],
) -> None:
    with pytest.raises(TooSlow):
        pair[0].recv(100)
    pair[0].sendall(b"408")
    assert pair[1].recv(100) == b"408"


def test_each_request_begins_as_a_stranger_s(pair: tuple[PacedSocket, socket.socket]) -> None:
    pair[0].begin()
    assert pair[0].pace is STRANGER
    give_time({"gunicorn.socket": pair[0]})
    assert pair[0].pace is KNOWN
    pair[0].begin()
    assert pair[0].pace is STRANGER


class Failing:
    """The body of a client that has stopped, or gone."""

    def __init__(self, error: OSError) -> None:
        self.error = error

    def read(self, size: int = -1) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [(TooSlow(), "408", b"too slowly"), (ConnectionResetError(), "400", b"broke off")],
)
def test_a_body_that_does_not_arrive_is_told_as_such(
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
