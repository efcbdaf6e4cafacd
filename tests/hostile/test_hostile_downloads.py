"""Many simultaneous downloads leave threads for other requests."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from flask import Flask

from api.access.long_answers import MAX_LONG_ANSWERS
from api.jobs.long_poll import MAX_WAITING
from config.gunicorn import threads
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.jobs.models import Job
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of

EXPORT = "/api/voters/export.csv"


@pytest.fixture
def admin(app: Flask) -> ApiClient:
    """A client that may download everything."""
    return client_of(app, Scope.ADMIN)


@pytest.fixture
def job(admin: ApiClient) -> str:
    """A job with rejected rows."""
    task_id = str(admin.upload(ROLL).get_json()["task_id"])
    Job.update(rejects_key=Job.file_key).where(Job.id == task_id).execute()
    database.close()
    return task_id


@contextmanager
def downloads(client: ApiClient, paths: list[str]) -> Iterator[None]:
    """Keep downloads open while the block runs."""
    with ExitStack() as stack:
        for path in paths:
            answer = stack.enter_context(client.get(path, buffered=False))
            assert answer.status_code == 200, path
        yield


def test_downloads_keep_at_most_half_the_threads(admin: ApiClient, job: str) -> None:
    kinds = [
        EXPORT,
        "/api/voters/export.xlsx",
        f"/api/jobs/{job}/rejects.csv",
        f"/api/jobs/{job}/file",
    ]
    assert len(kinds) == MAX_LONG_ANSWERS == threads // 2
    for _ in range(2):
        with downloads(admin, kinds):
            for path in kinds:
                refused = admin.get(path)
                assert (refused.status_code, refused.headers["Retry-After"]) == (503, "10"), path
                assert refused.get_json()["errors"] == {"code": "SERVICE_UNAVAILABLE"}
            assert admin.get("/api/voters/").status_code == 200
        for path in kinds:
            with admin.send("HEAD", path) as answer:
                assert answer.status_code == 200, path


def test_a_refused_download_keeps_no_place(admin: ApiClient, job: str) -> None:
    Job.update(rejects_key="lost", file_key="lost").execute()
    database.close()
    for _ in range(MAX_LONG_ANSWERS):
        for path in (f"/api/jobs/{job}/rejects.csv", f"/api/jobs/{job}/file"):
            assert admin.get(path).status_code == 404
    with downloads(admin, [EXPORT] * MAX_LONG_ANSWERS):
        pass


def test_a_poll_does_not_wait_beside_many_downloads(admin: ApiClient, job: str) -> None:
    with downloads(admin, [EXPORT] * MAX_LONG_ANSWERS):
        started = time.monotonic()
        assert admin.get(f"/api/task-status/{job}/?wait=30").status_code == 200
    assert time.monotonic() - started < 15


def test_polls_leave_a_place_for_a_download() -> None:
    assert MAX_LONG_ANSWERS - MAX_WAITING == 1
