"""The web process as the Procfile starts it: what a test client cannot show."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT
from tests.support.api_client import ROLL
from tests.support.running import procfile
from tests.support.services import free_port
from tests.support.web_process import WebProcess, web_process

MIB = 1024 * 1024
MAX_UPLOAD_BYTES = 30 * MIB
LARGE_BYTES = 50 * MIB
BOUNDARY = "boundary-of-the-test"
OPENING = (
    f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="roll.csv"\r\n\r\n'
).encode()
CLOSING = f"\r\n--{BOUNDARY}--\r\n".encode()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    folder = tmp_path_factory.mktemp("web")
    with web_process(folder, MAX_UPLOAD_BYTES=str(MAX_UPLOAD_BYTES)) as started:
        yield started


def upload(
    web: WebProcess,
    size_bytes: int,
    *,
    token: str | None = None,
    close: bool = False,
    chunked: bool = False,
) -> tuple[int, dict[str, object]]:
    """Send a file of about this size completely, and only then read the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=30)
    headers = {
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Authorization": f"Bearer {web.token if token is None else token}",
        **({"Connection": "close"} if close else {}),
    }
    body = OPENING + ROLL + b"\n" * size_bytes + CLOSING
    pieces = (body[start : start + MIB] for start in range(0, len(body), MIB))
    connection.request(
        "POST",
        "/api/upload/",
        body=pieces if chunked else body,
        headers=headers,
        encode_chunked=chunked,
    )
    answer = connection.getresponse()
    shown = json.load(answer)
    connection.close()
    return answer.status, shown


@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize(("token", "status"), [("", 401), ("svs_unknown", 401), (None, 413)])
def test_who_sends_a_large_body_in_vain_sees_the_answer(
    web: WebProcess, token: str | None, status: int, close: bool
) -> None:
    answered, body = upload(web, LARGE_BYTES, token=token, close=close)
    assert answered == body["code"] == status


@pytest.mark.parametrize("chunked", [False, True])
def test_a_too_large_file_is_refused_with_or_without_a_length(
    web: WebProcess, chunked: bool
) -> None:
    status, body = upload(web, MAX_UPLOAD_BYTES + 1, chunked=chunked)
    assert (status, body["errors"]) == (413, {"code": "TOO_LARGE"})


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_file_is_taken_without_being_held_in_memory(web: WebProcess, chunked: bool) -> None:
    upload(web, 1)
    before_kib = peak_kib(web)
    status, body = upload(web, MAX_UPLOAD_BYTES - MIB, chunked=chunked)
    assert status == 202, body
    assert peak_kib(web) - before_kib < MAX_UPLOAD_BYTES // 3 // 1024


def peak_kib(web: WebProcess) -> int:
    """The largest resident memory so far of any Gunicorn worker, in KiB."""
    peaks = []
    for child in web.workers:
        status = Path(f"/proc/{child}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        peaks.append(int(line.split()[1]))
    return max(peaks)


def test_an_upload_that_breaks_off_stores_nothing(web: WebProcess) -> None:
    head = (
        f"POST /api/upload/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {web.token}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: 100000\r\n\r\n"
    )
    with web.connect() as client:
        client.sendall(head.encode() + OPENING + ROLL)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(65536)
    assert b" 400 " in answer.splitlines()[0]


def test_bad_settings_stop_the_start_at_once_with_a_message() -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DEBUG": "0",
        "PORT": str(free_port()),
    }
    stopped = subprocess.run(
        ["/bin/sh", "-c", f"exec {procfile()['web']}"],
        cwd=PROJECT_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert stopped.returncode == 1
    assert "SECRET_KEY" in stopped.stderr
    assert "Traceback" not in stopped.stderr


@pytest.mark.parametrize(
    "request_head",
    [
        b"GET /api/voters/\xff\xfeSECRET-ID/ HTTP/1.1\r\n\r\n",
        b"GET /api/voters/SECRET-ID/\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuthorization Bearer SECRET-TOKEN\r\n\r\n",
    ],
)
def test_a_request_that_cannot_be_read_is_not_quoted_in_the_log(
    web: WebProcess, request_head: bytes
) -> None:
    with web.connect() as client:
        client.sendall(request_head)
        head, _, body = client.recv(4096).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert json.loads(body)["code"] == 400
    log = web.log.read_text()
    assert "invalid request" in log
    assert "SECRET" not in log
