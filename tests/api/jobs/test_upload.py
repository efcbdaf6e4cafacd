"""Uploads are answered immediately, and a rejected upload leaves nothing in the store."""

import io
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from api.app import create_app
from config.settings import PROJECT_ROOT, Settings
from shared.access.scopes import Scope
from shared.jobs.models import Job
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of

XLSX = (PROJECT_ROOT / "samples" / "roll.xlsx").read_bytes()


def uploads(folder: Path) -> list[Path]:
    """The files of the upload store."""
    return sorted((folder / "uploads").glob("*"))


@pytest.mark.parametrize("path", ["/api/upload/", "/api/upload"])
def test_an_accepted_file_is_answered_with_its_task(client: ApiClient, path: str) -> None:
    answer = client.send("POST", path, data={"file": (io.BytesIO(ROLL), "roll.csv")})
    accepted = answer.get_json()
    assert answer.status_code == 202
    assert list(accepted) == ["message", "task_id", "status_url"]
    assert accepted["message"] == "File uploaded and processing started"
    UUID(accepted["task_id"])
    expected_url = f"http://localhost/api/task-status/{accepted['task_id']}/"
    assert accepted["status_url"] == answer.headers["Location"] == expected_url
    assert client.get(accepted["status_url"]).get_json()["state"] == "PENDING"


def test_the_stored_file_is_the_sent_one_under_a_key_of_our_own(
    client: ApiClient, tmp_path: Path
) -> None:
    client.upload(ROLL, "../../etc/my roll.csv")
    [stored] = uploads(tmp_path)
    job = Job.get()
    assert stored.read_bytes() == ROLL
    assert stored.name == job.file_key
    assert job.file_name == "my roll.csv"
    assert job.size_bytes == len(ROLL)
    assert job.uploaded_by == "test read import"


HOLDER = """
import sqlite3, sys, time
holder = sqlite3.connect(sys.argv[1], isolation_level=None)
holder.execute("BEGIN IMMEDIATE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""
HELD_SECONDS = 3.5


def test_an_upload_waits_for_a_process_with_the_sqlite_lock(
    client: ApiClient, settings: Settings
) -> None:
    file = settings.database_url.removeprefix("sqlite:///")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, file, str(HELD_SECONDS)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        locked_at = time.monotonic()
        answer = client.upload(ROLL)
        assert time.monotonic() - locked_at > HELD_SECONDS - 1
    assert answer.status_code == 202
    assert client.get(answer.get_json()["status_url"]).get_json()["state"] == "PENDING"


def test_a_dry_run_is_asked_for_in_the_query(client: ApiClient) -> None:
    file = {"file": (io.BytesIO(ROLL), "roll.csv")}
    answer = client.send("POST", "/api/upload/?dry_run=true", data=file)
    assert answer.status_code == 202
    assert client.get(answer.get_json()["status_url"]).get_json()["dry_run"] is True


def test_an_unknown_option_is_refused_in_query_and_form(client: ApiClient) -> None:
    for path, more in (("/api/upload/?dryrun=1", {}), ("/api/upload/", {"dry_run": "true"})):
        file = {"file": (io.BytesIO(ROLL), "roll.csv"), **more}
        assert client.send("POST", path, data=file).status_code == 422
    assert Job.select().count() == 0


@pytest.mark.parametrize(
    ("content", "name", "mime_type", "format_name"),
    [
        (ROLL, "roll.xlsx", "application/vnd.ms-excel", "csv"),
        (ROLL, "no extension", "application/octet-stream", "csv"),
        (XLSX, "roll.csv", "text/csv", "xlsx"),
    ],
)
def test_the_content_decides_the_format(
    client: ApiClient, content: bytes, name: str, mime_type: str, format_name: str
) -> None:
    data = {"file": (io.BytesIO(content), name, mime_type)}
    answer = client.send("POST", "/api/upload/", data=data)
    assert answer.status_code == 202
    assert client.get(answer.get_json()["status_url"]).get_json()["file"]["format"] == format_name


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "EMPTY_FILE"),
        (b" \r\n\n", 422, "EMPTY_FILE"),
        (b"%PDF-1.7 \n", 415, "UNSUPPORTED_FORMAT"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), 415, "UNSUPPORTED_FORMAT"),
        (b"<html><body>log in</body></html>", 415, "UNSUPPORTED_FORMAT"),
        (ROLL + b"x" * 100_000, 413, "TOO_LARGE"),
        (ROLL + b"x" * 400_000, 413, "TOO_LARGE"),
    ],
)
def test_a_refused_file_leaves_nothing_behind(
    client: ApiClient, tmp_path: Path, content: bytes, status: int, code: str
) -> None:
    answer = client.upload(content)
    assert answer.status_code == answer.get_json()["code"] == status
    assert answer.get_json()["errors"] == {"code": code}
    assert answer.get_json()["message"].endswith(".")
    assert uploads(tmp_path) == []
    assert Job.select().count() == 0


def test_a_file_of_exactly_the_limit_is_taken(client: ApiClient) -> None:
    assert client.upload(ROLL.ljust(100_000, b" ")).status_code == 202


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"data": {"roll": (io.BytesIO(ROLL), "roll.csv")}},
        {"data": {"file": "student_id,email"}, "content_type": "multipart/form-data"},
        {"data": {"file": (io.BytesIO(ROLL), "")}},
        {"data": ROLL, "content_type": "multipart/form-data"},
        {"data": b"--x\r\nbroken", "content_type": "multipart/form-data; boundary=x"},
    ],
)
def test_a_request_without_a_file_shows_how_to_send_one(
    client: ApiClient, options: dict[str, object]
) -> None:
    answer = client.send("POST", "/api/upload/", **options)
    assert answer.status_code == 400
    assert "curl -F file=@" in answer.get_json()["message"]


def test_a_part_without_a_name_is_refused_as_any_unknown_field(client: ApiClient) -> None:
    part = b"--x\r\nContent-Disposition: form-data%s\r\n\r\n%s\r\n"
    file = part % (b'; name="file"; filename="roll.csv"', ROLL)
    answer = client.send(
        "POST",
        "/api/upload/",
        data=file + part % (b'; name="other"', b"1") + part % (b"", b"1") + b"--x--\r\n",
        content_type="multipart/form-data; boundary=x",
    )
    assert answer.status_code == 422
    assert "other" in answer.get_json()["message"]


@pytest.mark.parametrize(
    "options",
    [
        {"json": {"file": "roll.csv"}},
        {"data": ROLL, "content_type": "text/csv"},
        {"data": {"file": "student_id,email"}},
        {"data": ROLL},
    ],
)
def test_a_body_of_another_type_is_refused_with_the_right_one(
    client: ApiClient, options: dict[str, object]
) -> None:
    answer = client.send("POST", "/api/upload/", **options)
    assert answer.status_code == 415
    assert answer.get_json()["errors"] == {"code": "UNSUPPORTED_MEDIA_TYPE"}
    assert "`multipart/form-data`" in answer.get_json()["message"]


def test_two_files_at_once_are_refused(client: ApiClient) -> None:
    data = {"file": [(io.BytesIO(ROLL), "a.csv"), (io.BytesIO(ROLL), "b.csv")]}
    answer = client.send("POST", "/api/upload/", data=data)
    assert answer.status_code == 400
    assert "one file at a time" in answer.get_json()["message"]


def test_the_public_url_wins_over_the_address_of_the_request(
    app: Flask, settings: Settings
) -> None:
    public = create_app(replace(settings, public_url="https://voters.example.edu"))
    answer = client_of(public, Scope.IMPORT).upload(ROLL)
    assert answer.headers["Location"].startswith("https://voters.example.edu/api/task-status/")


def test_an_upload_is_accepted_without_a_broker(app: Flask, settings: Settings) -> None:
    deaf = create_app(replace(settings, broker_url="amqp://guest:guest@127.0.0.1:1//"))
    assert client_of(deaf, Scope.IMPORT).upload(ROLL).status_code == 202


def test_a_store_that_cannot_be_written_is_answered_with_503(
    app: Flask, settings: Settings
) -> None:
    nowhere = create_app(replace(settings, upload_store="file:/dev/null/uploads"))
    answer = client_of(nowhere, Scope.IMPORT).upload(ROLL)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
