"""Follow-up jobs that try to avoid the conditions of the first job, or to use others' limits."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask

from api.app import create_app
from config.settings import Settings
from shared.access.scopes import Scope
from shared.access.users import Role
from shared.database.sql import clock
from shared.jobs.models import Job
from shared.jobs.states import OutboxState
from shared.voters.models import Voter
from tests.support.api_client import HEADER, ApiClient
from tests.support.application import client_of
from tests.support.job_runs import finished, run_due_jobs
from tests.support.outbox_entries import set_mails
from tests.support.page_client import browser_of, text_of

FIRST = HEADER + b"1,Ann,Lee,ann@x.edu,Law,3,yes\n"
WRONG = HEADER + b"1,Ann,Lee,wrong@x.edu,Law,3,no\n"
RIGHT = HEADER + b"1,Ann,Lee,right@x.edu,Law,3,yes\n"


def act(client: ApiClient, task_id: object, action: str) -> Any:
    return client.send("POST", f"/api/jobs/{task_id}/{action}/")


@pytest.fixture
def failed_apply(app: Flask, client: ApiClient) -> str:
    """An apply that failed because the roll changed between its acceptance and its import."""
    finished(app, client, FIRST)
    preview = finished(app, client, WRONG, "dry_run=true")
    correction = client.upload(RIGHT).get_json()["task_id"]
    Job.update(created_at=clock(-60)).where(Job.id == correction).execute()
    applied = act(client, preview, "apply").get_json()["task_id"]
    run_due_jobs(app)
    assert Job.get_by_id(applied).error_code == "ROLL_CHANGED"
    return str(applied)


def test_a_retry_of_an_apply_does_not_overwrite_a_correction(
    app: Flask, client: ApiClient, failed_apply: str
) -> None:
    answer = act(client, failed_apply, "retry")
    run_due_jobs(app)
    assert (answer.status_code, answer.get_json()["errors"]["code"]) == (409, "ROLL_CHANGED")
    assert Voter.get_by_id("1").email == "right@x.edu"


def test_a_retry_that_waits_while_the_roll_changes_fails(app: Flask, client: ApiClient) -> None:
    finished(app, client, FIRST)
    preview = finished(app, client, WRONG, "dry_run=true")
    applied = act(client, preview, "apply").get_json()["task_id"]
    act(client, applied, "cancel")
    retried = act(client, applied, "retry").get_json()["task_id"]
    correction = client.upload(RIGHT).get_json()["task_id"]
    Job.update(created_at=clock(-60)).where(Job.id == correction).execute()
    run_due_jobs(app)
    assert Job.get_by_id(retried).error_code == "ROLL_CHANGED"
    assert Voter.get_by_id("1").email == "right@x.edu"


def test_the_page_offers_a_preview_where_a_retry_would_fail(app: Flask, failed_apply: str) -> None:
    browser = browser_of(app, Role.IMPORTER)
    page = f"/admin/imports/{failed_apply}/"
    assert "Retry " not in text_of(browser.get(page))
    preview = browser.post(f"{page}preview/", form_of=page).location
    run_due_jobs(app)
    shown = text_of(browser.get(preview))
    assert "email right@x.edu becomes wrong@x.edu" in shown
    assert "Previewed again" in text_of(browser.get(page))
    applied = browser.post(f"{preview}apply/", form_of=preview).location
    run_due_jobs(app)
    assert Job.get_by_id(applied.split("/")[-2]).state == "SUCCESS"


def test_a_preview_of_an_older_roll_is_previewed_again(app: Flask, client: ApiClient) -> None:
    preview = finished(app, client, WRONG, "dry_run=true&mode=create_only")
    finished(app, client, FIRST)
    browser = browser_of(app, Role.IMPORTER)
    page = f"/admin/imports/{preview}/"
    again = browser.post(f"{page}preview/", form_of=page).location
    run_due_jobs(app)
    job = Job.get_by_id(again.split("/")[-2])
    assert (job.dry_run, job.options, job.state) == (True, {"mode": "create_only"}, "SUCCESS")
    assert job.report["would_create"] == 0


def offers_retry(app: Flask, task_id: UUID) -> bool:
    return "Retry " in text_of(browser_of(app, Role.IMPORTER).get(f"/admin/imports/{task_id}/"))


def test_the_page_offers_no_retry_that_must_fail(app: Flask, client: ApiClient) -> None:
    assert not offers_retry(app, finished(app, client, b"Town\nUlm\n"))


def test_the_page_offers_a_retry_after_a_full_disk(app: Flask, client: ApiClient) -> None:
    task_id = finished(app, client, FIRST)
    Job.update(state="FAILURE", report=None, error_code="DISK_FULL", error_message="full").where(
        Job.id == task_id
    ).execute()
    assert offers_retry(app, task_id)


@pytest.mark.parametrize("run_between", [False, True])
def test_a_double_click_on_apply_makes_one_job_and_no_failure(
    app: Flask, client: ApiClient, run_between: bool
) -> None:
    preview = finished(app, client, FIRST, "dry_run=true")
    browser = browser_of(app, Role.IMPORTER)
    page = f"/admin/imports/{preview}/"
    first = browser.post(f"{page}apply/", form_of=page).location
    if run_between:
        run_due_jobs(app)
    second = browser.post(f"{page}apply/", form_of=page).location
    run_due_jobs(app)
    assert first == second != page
    assert "Apply to the roll" not in text_of(browser.get(page))
    answer = act(client, preview, "apply")
    assert (answer.status_code, answer.get_json()["task_id"]) == (202, first.split("/")[-2])
    assert [job.state for job in Job.select()] == ["SUCCESS"] * 2


def test_a_double_click_on_try_again_makes_one_job(app: Flask, client: ApiClient) -> None:
    task_id = client.upload(FIRST).get_json()["task_id"]
    act(client, task_id, "cancel")
    answers = [act(client, task_id, "retry") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].get_json() == answers[1].get_json()
    assert Job.select().count() == 2


def test_a_follow_up_by_another_is_not_shown_to_an_import_token(
    app: Flask, client: ApiClient
) -> None:
    importer = client_of(app, Scope.IMPORT)
    task_id = importer.upload(FIRST).get_json()["task_id"]
    act(importer, task_id, "cancel")
    assert act(client, task_id, "retry").status_code == 202
    answer = act(importer, task_id, "retry")
    assert answer.get_json()["errors"]["code"] == "FOLLOWED_BY_ANOTHER"


def test_a_report_is_not_sent_again_while_one_waits(app: Flask, settings: Settings) -> None:
    mail = replace(settings.mail, recipients=("ann@x.edu",))
    limits = replace(settings.limits, reports_per_hour=4)
    sending = create_app(replace(settings, mail=mail, limits=limits))
    client = client_of(sending, Scope.IMPORT)
    task_id = finished(sending, client, FIRST)
    answer = act(client, task_id, "resend-report")
    assert (answer.status_code, answer.get_json()["errors"]["code"]) == (409, "REPORT_PENDING")
    codes = []
    for _ in range(4):
        set_mails(state=OutboxState.SENT, sent_at=clock())
        codes.append(act(client, task_id, "resend-report").status_code)
    assert codes == [202, 202, 202, 429]
