"""Multipart forms of unusual and of hostile clients."""

import os
import tempfile
from pathlib import Path

import pytest
from flask import Flask, request
from werkzeug.test import TestResponse

from shared.access.scopes import Scope
from shared.jobs.models import Job
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of

HEAD = b'Content-Disposition: form-data; name="file"; filename="%s"\r\n\r\n'


def send(client: ApiClient, *parts: bytes, closing: bytes = b"--x--\r\n") -> TestResponse:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + closing
    return client.send(
        "POST", "/api/upload/", data=body, content_type="multipart/form-data; boundary=x"
    )


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Wähler.csv".encode("latin-1"), "Wähler.csv"),
        ("Wähler.csv".encode(), "Wähler.csv"),
        ("名簿.csv".encode(), "名簿.csv"),
        ("Ан.csv".encode("cp1251"), "Àí.csv"),
        (b"a\x80b.csv", "a_b.csv"),
        (b"x" * 300 + b".csv", "x" * 255),
        (b"a%22b.csv", 'a"b.csv'),
        (b"..\\\\up\\\\evil.csv", "evil.csv"),
    ],
)
def test_a_file_name_in_any_encoding_is_taken(client: ApiClient, sent: bytes, shown: str) -> None:
    assert send(client, HEAD % sent + ROLL).status_code == 202
    assert Job.get().file_name == shown


def test_a_file_name_may_be_given_as_rfc_5987_has_it(client: ApiClient) -> None:
    head = (
        b"Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''W%C3%A4hler.csv\r\n\r\n"
    )
    assert send(client, head + ROLL).status_code == 202
    assert Job.get().file_name == "Wähler.csv"


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param([HEAD % (b"x" * 9000) + ROLL], id="file name"),
        pytest.param([b"X: " + b"x" * 9000 + b"\r\n" + HEAD % b"a.csv" + ROLL], id="head"),
        pytest.param(
            [b'Content-Disposition: form-data; name="n"\r\n\r\nx'] * 21, id="too many fields"
        ),
        pytest.param([HEAD % b"a.csv" + ROLL] * 21, id="too many files"),
    ],
)
def test_a_form_beyond_its_bounds_is_refused(client: ApiClient, parts: list[bytes]) -> None:
    answer = send(client, *parts)
    assert answer.status_code == 413
    assert "form" in answer.get_json()["message"]
    assert Job.select().count() == 0


@pytest.mark.parametrize(
    "parts",
    [
        [b"no head at all"],
        [b"Content-Disposition: form-data\r\n\r\nx"],
        [b"Content-Disposition: form-data; name=\r\n\r\nx"],
        [b"X: y\r\n\r\nx"],
        [b"Content-Disposition: form-data; filename=\xff\xfe; name=file\xff\r\n\r\nx"],
    ],
)
def test_a_form_that_is_none_is_refused(client: ApiClient, parts: list[bytes]) -> None:
    assert send(client, *parts).status_code in (400, 422)


def test_a_form_that_breaks_off_stores_nothing(client: ApiClient) -> None:
    assert send(client, HEAD % b"a.csv" + ROLL, closing=b"").status_code == 400
    assert Job.select().count() == 0


@pytest.fixture
def small_bodies(own_app: Flask) -> ApiClient:
    """A client of an application with a view that reads a form and a body, as any view may."""

    def taken() -> str:
        return f"{len(request.form)} {len(request.get_data())}"

    own_app.add_url_rule("/taken", view_func=taken, methods=["POST"])
    return client_of(own_app, Scope.ADMIN)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"a=" + b"x" * 200_000, "application/x-www-form-urlencoded", 200),
        (b"a=" + b"x" * 300_000, "application/x-www-form-urlencoded", 413),
        (b" " * 1_000_000, "application/json", 200),
        (b" " * 1_100_000, "application/json", 413),
    ],
)
def test_what_is_no_upload_has_a_small_limit(
    small_bodies: ApiClient, data: bytes, content_type: str, status: int
) -> None:
    answer = small_bodies.send("POST", "/taken", data=data, content_type=content_type)
    assert answer.status_code == status


def test_a_received_file_has_no_name_on_the_disk(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(tmp_path.iterdir())
    body = b"--x\r\n" + HEAD % b"a.csv" + b"x" * 900_000 + b"\r\n--x--\r\n"
    with app.test_request_context(
        method="POST", data=body, content_type="multipart/form-data; boundary=x"
    ):
        file = request.files["file"].stream
        found = os.fstat(file.fileno())
        assert (found.st_size, found.st_nlink) == (900_000, 0)
        assert found.st_mode & 0o077 == 0
        assert set(tmp_path.iterdir()) == before
        file.close()
