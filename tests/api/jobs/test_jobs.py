"""The list of jobs, one job, and the actions on a job."""

import json
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from api.app import create_app
from config.settings import Settings
from shared.access.scopes import Scope
from shared.database.sql import clock
from shared.jobs.models import Job
from shared.jobs.outbox import claim
from shared.jobs.states import Channel, OutboxState
from shared.voters.models import Voter
from tests.support.api_client import HEADER, ROLL, ApiClient
from tests.support.application import client_of
from tests.support.job_runs import finished, run_due_jobs
from tests.support.outbox_entries import set_mails

OTHER = HEADER + b"1,Anne,Lee,ann@x.edu,Law,4,no\n2,Ben,Ray,ben@x.edu,Art,1,yes\n"
BAD = HEADER + b"3,Cy,Fox,nobody,Law,1,yes\n"


def show(client: ApiClient, task_id: object) -> Any:
    answer = client.get(f"/api/jobs/{task_id}/")
    assert answer.status_code == 200
    return answer.get_json()


def act(client: ApiClient, task_id: object, action: str) -> Any:
    return client.send("POST", f"/api/jobs/{task_id}/{action}/")


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.get_json()["errors"]["code"]


def test_a_job_shows_its_status_and_where_it_comes_from(app: Flask, client: ApiClient) -> None:
    task_id = finished(app, client, ROLL, "delimiter=,&expected_rows=1")
    shown = show(client, task_id)
    status = client.get(f"/api/task-status/{task_id}/").get_json()

    assert {name: shown[name] for name in status} == status
    assert shown["uploaded_by"] == "test read import"
    assert shown["options"] == {"delimiter": ",", "expected_rows": 1}
    assert shown["report_mail"] == {
        "state": "pending", "attempts": 0, "sent_at": None, "error": None,
    }  # fmt: skip
    for name in ("duplicate_of", "preview_of", "retry_of", "cancelled_by", "files_purged_at"):
        assert shown[name] is None


def test_a_job_shows_when_its_report_mail_was_sent_or_why_not(
    app: Flask, client: ApiClient
) -> None:
    task_id = finished(app, client, ROLL)
    set_mails(state=OutboxState.FAILED, attempts=9, error="SMTPServerDisconnected")
    mail = show(client, task_id)["report_mail"]
    assert (mail["state"], mail["attempts"]) == ("failed", 9)
    assert mail["error"] == "SMTPServerDisconnected"
    set_mails(state=OutboxState.SENT, sent_at=clock())
    assert show(client, task_id)["report_mail"]["sent_at"].endswith("Z")
    assert show(client, task_id)["webhook"]["state"] == "pending"
    [listed] = client.get("/api/jobs/").get_json()
    assert listed == show(client, task_id)


def test_the_list_has_the_newest_first_in_pages(app: Flask, client: ApiClient) -> None:
    ids = [str(finished(app, client, content)) for content in (ROLL, OTHER, BAD)]
    answer = client.get("/api/jobs/?page_size=2")
    assert [job["task_id"] for job in answer.get_json()] == ids[:0:-1]
    assert json.loads(answer.headers["X-Pagination"])["total"] == 3
    assert [job["task_id"] for job in client.get("/api/jobs/?page_size=2&page=2").get_json()] == [
        ids[0]
    ]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 2),
        ("state=SUCCESS", 1),
        ("state=PENDING", 1),
        ("state=FAILURE", 0),
        ("uploaded_by=test%20read%20import", 2),
        ("uploaded_by=somebody", 0),
        ("created_from=2000-01-01T00:00:00Z", 2),
        ("created_from=2100-01-01T00:00:00%2B02:00", 0),
        ("created_before=2000-01-01T00:00:00Z", 0),
        (f"sha256={'0' * 64}", 0),
    ],
)
def test_the_list_can_be_filtered(app: Flask, client: ApiClient, query: str, expected: int) -> None:
    finished(app, client, ROLL)
    client.upload(OTHER)
    assert len(client.get(f"/api/jobs/?{query}").get_json()) == expected


def test_the_list_can_be_filtered_by_the_bytes(app: Flask, client: ApiClient) -> None:
    task_id = finished(app, client, ROLL)
    finished(app, client, OTHER)
    sha256 = show(client, task_id)["file"]["sha256"]
    [job] = client.get(f"/api/jobs/?sha256={sha256}").get_json()
    assert job["task_id"] == str(task_id)


@pytest.mark.parametrize(
    "query",
    [
        "state=DONE",
        "stat=SUCCESS",
        "sha256=xyz",
        "created_from=yesterday",
        "uploaded_by=%00",
        "created_from=2026-01-01T00:00:00",
        "created_from=0001-01-01T00:00:00%2B14:00",
    ],
)
def test_a_filter_that_is_not_known_is_refused(client: ApiClient, query: str) -> None:
    assert client.get(f"/api/jobs/?{query}").status_code == 422


def test_a_waiting_job_can_be_cancelled_once(app: Flask, client: ApiClient) -> None:
    task_id = client.upload(ROLL).get_json()["task_id"]
    answer = act(client, task_id, "cancel")
    assert answer.status_code == 200
    assert answer.get_json()["state"] == "REVOKED"
    assert answer.get_json()["cancelled_by"] == "test read import"
    run_due_jobs(app)
    assert Voter.select().count() == 0
    assert code(act(client, task_id, "cancel")) == (409, "JOB_FINAL")


@pytest.mark.parametrize("content", [BAD, ROLL])
def test_a_final_job_cannot_be_cancelled(app: Flask, client: ApiClient, content: bytes) -> None:
    task_id = finished(app, client, content, "on_error=abort")
    assert code(act(client, task_id, "cancel")) == (409, "JOB_FINAL")


def test_a_failed_job_is_tried_again_with_its_file_and_options(
    app: Flask, client: ApiClient
) -> None:
    failed = finished(app, client, BAD, "on_error=abort")
    answer = act(client, failed, "retry")
    again = answer.get_json()["task_id"]
    assert answer.status_code == 202
    assert answer.headers["Location"] == answer.get_json()["status_url"]
    run_due_jobs(app)
    shown = show(client, again)
    assert shown["retry_of"] == str(failed)
    assert shown["options"] == {"on_error": "abort"}
    assert shown["error"]["code"] == "ROWS_REJECTED"
    assert shown["file"] == show(client, failed)["file"]


def test_a_cancelled_job_is_tried_again(app: Flask, client: ApiClient) -> None:
    task_id = client.upload(ROLL).get_json()["task_id"]
    act(client, task_id, "cancel")
    again = act(client, task_id, "retry").get_json()["task_id"]
    run_due_jobs(app)
    assert show(client, again)["report"]["created"] == 1


def test_a_job_that_has_not_failed_is_not_tried_again(app: Flask, client: ApiClient) -> None:
    assert code(act(client, finished(app, client, ROLL), "retry")) == (409, "NOT_FAILED")


def test_a_preview_is_applied_to_the_very_bytes(app: Flask, client: ApiClient) -> None:
    finished(app, client, ROLL)
    preview = finished(app, client, OTHER, "dry_run=true&mode=update_only")
    assert show(client, preview)["report"]["would_update"] == 1
    answer = act(client, preview, "apply")
    assert answer.status_code == 202
    run_due_jobs(app)

    shown = show(client, answer.get_json()["task_id"])
    assert (shown["preview_of"], shown["dry_run"]) == (str(preview), False)
    assert (shown["report"]["updated"], shown["report"]["created"]) == (1, 0)
    assert shown["file"]["sha256"] == show(client, preview)["file"]["sha256"]
    assert Voter.get_by_id("1").year == 4
    # The client repeats the request, as after a lost answer.
    assert act(client, preview, "apply").get_json() == answer.get_json()
    assert Job.select().count() == 3


def test_a_preview_of_another_roll_is_not_applied(app: Flask, client: ApiClient) -> None:
    preview = finished(app, client, OTHER, "dry_run=true")
    finished(app, client, ROLL)
    assert code(act(client, preview, "apply")) == (409, "ROLL_CHANGED")
    assert Job.select().count() == 2


def test_what_is_no_finished_preview_is_not_applied(app: Flask, client: ApiClient) -> None:
    waiting = client.upload(ROLL, query_string="dry_run=true").get_json()["task_id"]
    assert code(act(client, waiting, "apply")) == (409, "NOT_A_PREVIEW")
    run_due_jobs(app)
    assert code(act(client, finished(app, client, ROLL), "apply")) == (409, "NOT_A_PREVIEW")


def test_the_file_of_a_purged_job_cannot_be_imported_again(app: Flask, client: ApiClient) -> None:
    failed = finished(app, client, BAD, "on_error=abort")
    preview = finished(app, client, ROLL, "dry_run=true")
    Job.update(files_purged_at=clock()).execute()
    assert act(client, failed, "retry").status_code == 410
    assert act(client, preview, "apply").status_code == 410
    assert Job.select().count() == 2


def test_a_report_is_sent_again_when_the_job_is_over(
    app: Flask, settings: Settings, client: ApiClient
) -> None:
    task_id = client.upload(ROLL).get_json()["task_id"]
    assert code(act(client, task_id, "resend-report")) == (409, "NO_RECIPIENT")

    mail = replace(settings.mail, recipients=("ann@x.edu",))
    other = client_of(create_app(replace(settings, mail=mail)), Scope.IMPORT, Scope.ADMIN)
    assert code(act(other, task_id, "resend-report")) == (409, "JOB_NOT_FINAL")
    run_due_jobs(app)
    set_mails(state=OutboxState.SENT, sent_at=clock())
    assert act(other, task_id, "resend-report").status_code == 202
    due = claim(Channel.MAIL)
    assert due is not None
    assert str(due.job_id) == task_id


@pytest.mark.parametrize("action", ["cancel", "retry", "apply", "resend-report"])
def test_no_action_finds_an_unknown_job(client: ApiClient, action: str) -> None:
    assert act(client, uuid4(), action).status_code == 404


@pytest.mark.parametrize("action", ["cancel", "retry", "apply", "resend-report"])
def test_who_may_only_read_can_do_nothing(app: Flask, client: ApiClient, action: str) -> None:
    task_id = client.upload(ROLL).get_json()["task_id"]
    reader = client_of(app, Scope.READ)
    assert act(reader, task_id, action).status_code == 403
    assert show(reader, task_id)["state"] == "PENDING"


def test_roll_contents_are_shown_only_with_the_scope_to_read(app: Flask, client: ApiClient) -> None:
    finished(app, client, ROLL)
    preview = finished(app, client, OTHER, "dry_run=true")
    importer = client_of(app, Scope.IMPORT)
    # In an earlier release, a token with only the scope `import` could make previews.
    Job.update(uploaded_by="test import").where(Job.id == preview).execute()
    for path in (f"/api/jobs/{preview}/", f"/api/task-status/{preview}/"):
        assert len(client.get(path).get_json()["report"]["differences"]) == 2
        report = importer.get(path).get_json()["report"]
        assert "differences" not in report
        assert report["would_update"] == 1
    assert "differences" not in json.dumps(importer.get("/api/jobs/").get_json())


def test_the_original_is_for_admins(app: Flask, client: ApiClient) -> None:
    task_id = finished(app, client, ROLL)
    path = f"/api/jobs/{task_id}/file"
    assert client.get(path).status_code == 403
    admin = client_of(app, Scope.ADMIN)
    with admin.get(path) as answer:
        assert answer.get_data() == ROLL
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["Content-Disposition"] == "attachment; filename=roll.csv"
    Job.update(files_purged_at=clock()).execute()
    assert admin.get(path).status_code == 410
    assert admin.get(f"/api/jobs/{uuid4()}/file").status_code == 404


def test_the_same_bytes_again_name_the_job_before(app: Flask, client: ApiClient) -> None:
    first = client.upload(ROLL).get_json()
    second = client.upload(ROLL).get_json()
    assert "duplicate_of" not in first
    assert second["duplicate_of"] == first["task_id"] != second["task_id"]
    assert show(client, second["task_id"])["duplicate_of"] == first["task_id"]


KEY = {"Idempotency-Key": "key-1"}


def test_the_same_key_and_bytes_give_the_first_answer_again(client: ApiClient) -> None:
    first = client.upload(ROLL, headers=KEY)
    again = client.upload(ROLL, headers={"Idempotency-Key": '"key-1"'})
    assert (again.status_code, again.get_json()) == (202, first.get_json())
    assert again.headers["Location"] == first.headers["Location"]
    assert Job.select().count() == 1


@pytest.mark.parametrize(
    ("content", "query"), [(OTHER, ""), (ROLL, "dry_run=1"), (ROLL, "mode=create_only")]
)
def test_a_key_is_for_one_file_and_one_way(
    app: Flask, client: ApiClient, content: bytes, query: str, tmp_path: Any
) -> None:
    client.upload(ROLL, headers=KEY)
    answer = client.upload(content, headers=KEY, query_string=query)
    assert code(answer) == (422, "KEY_REUSED")
    assert Job.select().count() == 1
    assert len(list((tmp_path / "uploads").glob("*"))) == 1


def test_keys_of_two_callers_do_not_meet(app: Flask, client: ApiClient) -> None:
    first = client.upload(ROLL, headers=KEY).get_json()
    other = client_of(app, Scope.IMPORT).upload(OTHER, headers=KEY)
    assert other.status_code == 202
    assert UUID(other.get_json()["task_id"]) != UUID(first["task_id"])


@pytest.mark.parametrize("key", ["", '""', "two words", "x" * 256, "ü"])
def test_a_key_that_cannot_be_one_is_refused(client: ApiClient, key: str) -> None:
    assert client.upload(ROLL, headers={"Idempotency-Key": key}).status_code == 422
    assert Job.select().count() == 0


@pytest.mark.parametrize(
    "query",
    [
        "mode=replace",
        "on_error=stop",
        "max_rejected_percent=101",
        "max_rejected_percent=nan",
        "max_rejected_percent=-1",
        "expected_rows=-1",
        "expected_rows=1.5",
        "expected_rows=many",
    ],
)
def test_an_option_without_meaning_is_refused(client: ApiClient, query: str) -> None:
    assert client.upload(ROLL, query_string=query).status_code == 422
    assert Job.select().count() == 0
