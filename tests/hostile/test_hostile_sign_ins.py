"""Many simultaneous sign-ins, and texts that cannot be a name or a page."""

import http.client
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.support.web_process import WebProcess, web_process

SIGN_IN = "/admin/account/sign-in/"
AT_ONCE = 24
# One hash takes 32 MiB, and the first rendering of the page takes a few more.
MEMORY_KIB = 96 * 1024


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    with web_process(tmp_path_factory.mktemp("web"), MAX_AUTH_FAILURES="1000000") as started:
        yield started


def send_form(web: WebProcess, name: str, path: str = SIGN_IN) -> http.client.HTTPResponse:
    """Send the sign-in form with a wrong password, and return the answer, already read."""
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
        connection.request("GET", SIGN_IN)
        page = connection.getresponse()
        token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page.read().decode())
        assert token
        cookie = str(page.headers["Set-Cookie"]).partition(";")[0]
        form = urlencode({"csrf_token": token[1], "username": name, "password": "wrong"})
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", path, form, headers)
        answer = connection.getresponse()
        answer.read()
        return answer


def peak_kib(web: WebProcess) -> int:
    """The largest resident memory of the Gunicorn worker so far, in KiB."""
    [worker] = web.workers
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{worker}/status").read_text())
    assert found
    return int(found[1])


def test_many_sign_ins_at_once_take_the_memory_of_one(web: WebProcess) -> None:
    send_form(web, "nobody")
    before_kib = peak_kib(web)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda number: send_form(web, f"n{number}"), range(AT_ONCE)))
    assert peak_kib(web) - before_kib < MEMORY_KIB
    for answer in answers:
        is_busy = answer.status == 503
        assert answer.status == 200 or (is_busy and answer.headers["Retry-After"]), answer.status
