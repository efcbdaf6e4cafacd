"""The rejects file of a job over HTTP."""

import csv
import json
from io import StringIO
from uuid import UUID, uuid4

import pytest
from flask import Flask

from api.services import services
from shared.access.scopes import Scope
from shared.database.sql import clock
from shared.importing.attempt import perform
from shared.jobs import transitions
from shared.jobs.models import Job
from shared.roll_file.limits import Limits
from tests.support.api_client import ApiClient
from tests.support.application import client_of

ROLL = b"id,email,year\n1,a@x.edu,1\n2,nobody,99\n3,c@x.edu,2\n4,,1\n"


@pytest.fixture
def task_id(app: Flask, client: ApiClient) -> str:
    """A finished job with three faults in two rejected rows."""
    task_id = client.upload(ROLL).get_json()["task_id"]
    with app.app_context():
        [due] = transitions.due_jobs(1)
        claim = transitions.claim(due, worker="tests", lease_seconds=30, max_attempts=2)
        assert claim is not None
        perform(claim, store=services().store, limits=Limits(100), max_attempts=2)
    return str(task_id)


def test_the_faults_come_in_the_order_of_their_lines(client: ApiClient, task_id: str) -> None:
    answer = client.get(f"/api/jobs/{task_id}/errors/")
    assert [(fault["line"], fault["column"], fault["code"]) for fault in answer.get_json()] == [
        (3, "email", "INVALID_EMAIL"),
        (3, "year", "INVALID_YEAR"),
        (5, "email", "MISSING_FIELD"),
    ]
    assert answer.get_json()[0]["value"] == "nobody"
    assert json.loads(answer.headers["X-Pagination"])["total"] == 3


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("code=INVALID_YEAR", [3]),
        ("column=email", [3, 5]),
        ("column=email&code=MISSING_FIELD", [5]),
        ("page_size=1&page=2", [3]),
    ],
)
def test_faults_can_be_filtered_and_paged(
    client: ApiClient, task_id: str, query: str, lines: list[int]
) -> None:
    answer = client.get(f"/api/jobs/{task_id}/errors/?{query}")
    assert [fault["line"] for fault in answer.get_json()] == lines


@pytest.mark.parametrize("query", ["code=NONSENSE", "cod=INVALID_YEAR"])
def test_a_filter_that_is_not_known_is_refused(client: ApiClient, task_id: str, query: str) -> None:
    assert client.get(f"/api/jobs/{task_id}/errors/?{query}").status_code == 422


def test_the_rejects_file_is_downloaded_as_csv(client: ApiClient, task_id: str) -> None:
    with client.get(f"/api/jobs/{task_id}/rejects.csv") as answer:
        text = answer.get_data(as_text=True)
    rows = list(csv.reader(StringIO(text.removeprefix("\ufeff"))))
    assert answer.mimetype == "text/csv"
    assert "attachment" in answer.headers["Content-Disposition"]
    assert rows[0] == ["id", "email", "year", "_line", "_errors"]
    assert [row[:4] for row in rows[1:]] == [["2", "nobody", "99", "3"], ["4", "", "1", "5"]]


def test_a_job_without_rejected_rows_has_no_rejects_file(client: ApiClient) -> None:
    task_id = client.upload(b"id,email\n1,a@x.edu\n").get_json()["task_id"]
    assert client.get(f"/api/jobs/{task_id}/rejects.csv").status_code == 404


@pytest.mark.parametrize("path", ["errors/", "rejects.csv"])
def test_an_unknown_job_has_neither(client: ApiClient, path: str) -> None:
    assert client.get(f"/api/jobs/{uuid4()}/{path}").status_code == 404


def test_an_admin_may_look_as_well(app: Flask, task_id: str) -> None:
    admin = client_of(app, Scope.ADMIN)
    assert admin.get(f"/api/jobs/{task_id}/errors/").status_code == 200


def test_rejects_that_were_deleted_after_a_while_are_gone(client: ApiClient, task_id: str) -> None:
    Job.update(files_purged_at=clock()).where(Job.id == UUID(task_id)).execute()
    assert client.get(f"/api/jobs/{task_id}/rejects.csv").status_code == 410


def test_no_page_is_too_far_and_no_sign_too_odd_to_be_answered(
    client: ApiClient, task_id: str
) -> None:
    errors = f"/api/jobs/{task_id}/errors/"
    assert client.get(f"{errors}?page=99999999999999999999").get_json() == []
    assert client.get(f"{errors}?column=%00").status_code == 422
