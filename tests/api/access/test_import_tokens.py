"""A token with only the scope `import` cannot read the roll or the jobs of others."""

from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from shared.access.scopes import Scope
from shared.jobs.models import Job
from tests.support.api_client import HEADER, ROLL, ApiClient
from tests.support.application import client_of
from tests.support.job_runs import finished

MIXED = ROLL + b"2,Ben,Ray,nobody,Law,1,yes\n"
OTHER = HEADER + b"9,Zoe,Fox,zoe@x.edu,Law,3,yes\n"
ACTIONS = ("cancel", "retry", "apply", "resend-report")


@pytest.fixture
def importer(app: Flask) -> ApiClient:
    return client_of(app, Scope.IMPORT)


def statuses_of_reads(client: ApiClient, task_id: UUID) -> list[int]:
    paths = [
        f"/api/jobs/{task_id}/",
        f"/api/task-status/{task_id}/",
        f"/api/jobs/{task_id}/errors/",
        f"/api/jobs/{task_id}/rejects.csv",
    ]
    found = []
    for path in paths:
        with client.get(path) as answer:
            found.append(answer.status_code)
    return found


def test_an_import_token_sees_its_own_jobs(app: Flask, importer: ApiClient) -> None:
    assert statuses_of_reads(importer, finished(app, importer, MIXED)) == [200] * 4


def test_an_import_token_sees_no_job_of_another(
    app: Flask, client: ApiClient, importer: ApiClient
) -> None:
    of_another = finished(app, client, MIXED)
    assert statuses_of_reads(importer, of_another) == [404] * 4
    for action in ACTIONS:
        assert importer.send("POST", f"/api/jobs/{of_another}/{action}/").status_code == 404
    own = finished(app, importer, OTHER)
    for query in ("", "?uploaded_by=test%20read%20import", "?state=SUCCESS"):
        listed = [job["task_id"] for job in importer.get(f"/api/jobs/{query}").get_json()]
        assert listed == ([] if "uploaded_by" in query else [str(own)])
    for scope in (Scope.READ, Scope.ADMIN):
        reader = client_of(app, scope)
        assert len(reader.get("/api/jobs/").get_json()) == 2
        assert statuses_of_reads(reader, of_another) == [200] * 4


def test_unknown_jobs_and_jobs_of_others_get_the_same_answer(
    app: Flask, client: ApiClient, importer: ApiClient
) -> None:
    def error_of(task_id: UUID) -> Any:
        return importer.get(f"/api/jobs/{task_id}/").get_json()

    assert error_of(finished(app, client, ROLL)) == error_of(UUID(int=1))


def test_an_import_token_does_not_see_who_sent_the_same_bytes(
    app: Flask, client: ApiClient, importer: ApiClient
) -> None:
    finished(app, client, ROLL)
    answer = importer.upload(ROLL).get_json()
    assert "duplicate_of" not in answer
    assert importer.get(f"/api/jobs/{answer['task_id']}/").get_json()["duplicate_of"] is None
    own = importer.upload(ROLL).get_json()
    assert own["duplicate_of"] == answer["task_id"]


def test_a_preview_needs_the_scope_to_read(app: Flask, importer: ApiClient) -> None:
    answer = importer.upload(ROLL, query_string="dry_run=true")
    assert answer.status_code == 403
    assert answer.get_json()["errors"]["code"] == "INSUFFICIENT_SCOPE"
    assert 'scope="read"' in answer.headers["WWW-Authenticate"]
    assert Job.select().count() == 0
    assert client_of(app, Scope.ADMIN).upload(ROLL, query_string="dry_run=1").status_code == 202


def test_a_preview_of_an_earlier_release_is_not_tried_again(
    app: Flask, importer: ApiClient
) -> None:
    task_id = importer.upload(ROLL).get_json()["task_id"]
    importer.send("POST", f"/api/jobs/{task_id}/cancel/")
    Job.update(dry_run=True).execute()
    assert importer.send("POST", f"/api/jobs/{task_id}/retry/").status_code == 403


def test_a_condition_that_fails_shows_nothing_of_the_roll(
    app: Flask, client: ApiClient, importer: ApiClient
) -> None:
    finished(app, client, ROLL)
    probed = finished(app, importer, ROLL, "expected_rows=2")
    shown = importer.get(f"/api/jobs/{probed}/").get_json()
    assert (shown["report"], shown["error"]["code"]) == (None, "ROW_COUNT_MISMATCH")
