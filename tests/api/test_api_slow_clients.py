"""Clients that send nothing, or a byte now and then, keep nobody else waiting."""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from api_client import ROLL
from web_process import WebProcess, web_process

from api.error_codes import ApiCode

CLIENTS = 40
# Gunicorn's own worker takes five seconds and more.
ANSWER_SECONDS = 2.5
TRICKLE_SECONDS = 0.8
WATCHED_SECONDS = 2.5
POST = b"POST /api/upload/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n"
FORM = b"Content-Type: multipart/form-data; boundary=x\r\n"
OPENING = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    with web_process(tmp_path_factory.mktemp("web"), MAX_AUTH_FAILURES="1000000") as started:
        read(started)
        yield started


@contextmanager
def many(web: WebProcess, opening: bytes) -> Iterator[list[socket.socket]]:
    """As many clients as would keep all threads five times over, each with its first bytes sent."""
    with ExitStack() as stack:
        clients = [stack.enter_context(web.connect()) for _ in range(CLIENTS)]
        for client in clients:
            client.sendall(opening)
        yield clients


@contextmanager
def trickling(clients: list[socket.socket]) -> Iterator[None]:
    """Send a byte on each connection now and then."""
    ending = threading.Event()

    def trickle() -> None:
        while not ending.wait(TRICKLE_SECONDS):
            for client in clients:
                try:
                    client.send(b"x")
                except OSError:
                    continue

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        yield
    finally:
        ending.set()
        thread.join()


def slowest_answer_seconds(web: WebProcess) -> float:
    """Ask again and again for a while, as somebody with a token."""
    slowest = 0.0
    until = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < until:
        slowest = max(slowest, timed(lambda: read(web)))
        time.sleep(0.05)
    return slowest


def timed(act: Callable[[], None]) -> float:
    started = time.monotonic()
    act()
    return time.monotonic() - started


def read(web: WebProcess) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{web.port}/api/voters/",
        headers={"Authorization": f"Bearer {web.token}"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    "opening",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"GET /api/voters/ HTTP/1.1\r\nX-Slow: ", id="half a head"),
        pytest.param(POST + FORM + b"\r\n", id="a body without a token"),
        pytest.param(POST + b"Authorization: Bearer svs_x\r\n\r\n", id="a body with a bad token"),
        pytest.param(
            POST.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked") + b"\r\n5\r\n",
            id="a chunked body without a token",
        ),
    ],
)
def test_slow_strangers_hold_no_thread(web: WebProcess, opening: bytes) -> None:
    with many(web, opening) as clients, trickling(clients):
        assert slowest_answer_seconds(web) < ANSWER_SECONDS


def test_half_a_second_request_on_a_kept_connection_holds_no_thread(web: WebProcess) -> None:
    whole = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with many(web, whole + b"GET /hea") as clients, trickling(clients):
        assert slowest_answer_seconds(web) < ANSWER_SECONDS


def test_a_head_that_is_not_finished_ends_its_connection(web: WebProcess) -> None:
    with web.connect() as client:
        client.settimeout(20)
        client.sendall(b"GET / HTTP/1.1\r\n")
        assert timed(lambda: expect_end(client)) < 15


def expect_end(client: socket.socket) -> None:
    assert client.recv(100) == b""


def test_who_goes_on_sending_in_vain_is_cut_off(web: WebProcess) -> None:
    with web.connect() as client:
        client.sendall(POST + b"\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 401 ")
        started = time.monotonic()
        with pytest.raises(OSError, match=r"reset|pipe"):
            while time.monotonic() - started < 40:
                client.sendall(b"x")
                time.sleep(0.5)


def test_two_requests_at_once_are_answered_one_after_the_other(web: WebProcess) -> None:
    request = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"
    with web.connect() as client:
        client.sendall(request + b"\r\n" + request + b"Connection: close\r\n\r\n")
        answers = b"".join(iter(lambda: client.recv(4096), b""))
    assert answers.count(b"HTTP/1.1 200 OK") == 2


def test_a_head_that_comes_byte_by_byte_is_answered(web: WebProcess) -> None:
    with web.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for sign in b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n":
            client.sendall(bytes([sign]))
            time.sleep(0.002)
        assert client.recv(100).startswith(b"HTTP/1.1 200 OK")


def test_a_slow_upload_with_a_token_is_taken(web: WebProcess) -> None:
    body = OPENING + ROLL + b"\r\n--x--\r\n"
    head = POST.replace(b"100000", str(len(body)).encode()) + FORM
    with web.connect() as client:
        client.sendall(head + f"Authorization: Bearer {web.token}\r\n\r\n".encode())
        for start in range(0, len(body), 20):
            time.sleep(0.8)
            client.sendall(body[start : start + 20])
        assert client.recv(100).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 9000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: x\r\n" * 60 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 40_000, 431),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\nHost: x\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nTransfer-Encoding: shrunk\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nExpect: the-unexpected\r\n\r\n", 417),
    ],
)
def test_what_is_no_request_is_refused_in_the_one_shape(
    web: WebProcess, request_head: bytes, status: int
) -> None:
    with web.connect() as client:
        client.sendall(request_head)
        answer = b"".join(iter(lambda: client.recv(4096), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Content-Type: application/json" in head
    shown = json.loads(body)
    assert list(shown) == ["code", "status", "message", "errors"]
    assert shown["code"] == status
    assert shown["message"].endswith(".")
    assert shown["errors"]["code"] in list(ApiCode)


def test_idle_connections_beyond_all_places_keep_nobody_out(web: WebProcess) -> None:
    with ExitStack() as stack:
        for _ in range(700):
            stack.enter_context(web.connect())
        assert slowest_answer_seconds(web) < ANSWER_SECONDS


def test_a_process_stops_soon_whatever_its_clients_wait_for(tmp_path: Path) -> None:
    with ExitStack() as clients:
        with web_process(tmp_path) as web:
            read(web)
            for opening in (b"", b"GET / HTTP/1.1\r\n", POST + b"\r\n"):
                clients.enter_context(web.connect()).sendall(opening)
            time.sleep(0.5)
            started = time.monotonic()
        assert time.monotonic() - started < 8
