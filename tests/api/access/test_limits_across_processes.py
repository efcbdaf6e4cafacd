"""Limits hold for all processes of Gunicorn together."""

import http.client
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.api_client import ROLL
from tests.support.web_process import WebProcess, web_process

PROCESSES = 2
FAILURES = 10
UPLOADS = 5
BODY = (
    b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    + ROLL
    + b"\r\n--x--\r\n"
)


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebProcess]:
    with web_process(
        tmp_path,
        processes=PROCESSES,
        MAX_AUTH_FAILURES=str(FAILURES),
        MAX_UPLOADS_PER_MINUTE=str(UPLOADS),
    ) as started:
        yield started


def send(web: WebProcess, method: str, path: str, token: str, body: bytes = b"") -> int:
    """Send a request on a new connection, which any of the processes may accept."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "multipart/form-data; boundary=x",
    }
    connection.request(method, path, body=body, headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_uploads_of_one_caller_are_counted_once_for_all(web: WebProcess) -> None:
    answers = Counter(
        send(web, "POST", "/api/upload/", web.token, BODY) for _ in range(UPLOADS * 2)
    )
    assert answers == {202: UPLOADS, 429: UPLOADS}


def test_bad_tokens_get_few_answers_of_all_processes_together(web: WebProcess) -> None:
    answers = [send(web, "GET", "/api/voters/", f"svs_guess{number}") for number in range(150)]
    assert set(answers) == {401, 429}
    assert FAILURES <= answers.count(401) <= PROCESSES * FAILURES
