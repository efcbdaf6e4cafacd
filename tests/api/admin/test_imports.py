"""A file from the browser to the roll: upload, preview, apply, fix, and the list of imports."""

import io
import re
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api.app import create_app
from config.settings import Settings
from shared.access.users import Role
from shared.jobs.models import Job, JobFault
from shared.jobs.states import OutboxState
from shared.voters.models import Voter
from shared.workers import beat, this_worker
from tests.support.api_client import HEADER, ROLL
from tests.support.job_runs import run_due_jobs
from tests.support.outbox_entries import set_mails
from tests.support.page_client import Browser, browser_of, csrf_token, text_of

NEW = "/admin/import/"
OTHER = HEADER + b"1,Anne,Lee,ann@x.edu,Law,4,no\n2,Ben,Ray,ben@x.edu,Art,1,yes\n"
BAD = HEADER + b"3,Cy,Fox,nobody,Law,1,yes\n4,Di,Roe,di@x.edu,Law,1,yes\n"
HOSTILE = "<script>alert(1)</script>"


def send(browser: Browser, content: bytes, name: str = "roll.csv", **fields: str) -> TestResponse:
    token = csrf_token(browser.get(NEW))
    data = {
        "csrf_token": token,
        "intent": "preview",
        "mode": "upsert",
        "file": (io.BytesIO(content), name),
        **fields,
    }
    return browser.client.post(NEW, data=data)


def import_page(app: Flask, browser: Browser, content: bytes, **fields: str) -> str:
    """Upload a file, run its job and return the path of its page."""
    page = send(browser, content, **fields).location
    assert re.fullmatch(r"/admin/imports/[0-9a-f-]{36}/", page or "")
    run_due_jobs(app)
    return str(page)


@pytest.fixture
def browser(app: Flask) -> Browser:
    return browser_of(app, Role.IMPORTER)


def test_a_user_who_retries_too_often_must_wait(settings: Settings, app: Flask) -> None:
    limits = replace(settings.limits, uploads_per_minute=2)
    browser = browser_of(create_app(replace(settings, limits=limits)), Role.IMPORTER)
    page = send(browser, ROLL).location
    browser.post(f"{page}cancel/", form_of=page)
    again = [browser.post(f"{page}retry/", form_of=page).status_code for _ in range(2)]
    assert again == [302, 429]
    assert Job.select().count() == 2


def test_a_file_is_previewed_first_and_then_applied(app: Flask, browser: Browser) -> None:
    import_page(app, browser, ROLL, intent="apply")
    page = import_page(app, browser, OTHER)
    shown = text_of(browser.get(page))
    assert "Preview of roll.csv" in shown
    assert "Would be created 1" in shown
    assert "first name Ann becomes Anne" in shown
    assert "0 voters become eligible, 1 voter is no longer eligible" in shown
    assert Voter.get_by_id("1").first_name == "Ann"

    applied = browser.post(f"{page}apply/", form_of=page).location
    run_due_jobs(app)
    assert "Import of roll.csv" in text_of(browser.get(applied))
    assert Voter.get_by_id("1").first_name == "Anne"
    shown = text_of(browser.get(page))
    assert re.search(r"Applied: \S+ \S+ UTC Imported\b", shown)
    assert "The roll has changed since this preview." not in shown
    again = browser.post(f"{page}apply/", form_of=applied)
    assert again.location == applied


def test_a_preview_without_changes_offers_nothing_to_apply(app: Flask, browser: Browser) -> None:
    import_page(app, browser, ROLL, intent="apply")
    shown = text_of(browser.get(import_page(app, browser, ROLL)))
    assert "There is nothing to apply: the roll would stay as it is." in shown
    assert "Apply to the roll" not in shown


def test_the_page_shows_faults_with_advice_and_offers_rejects(app: Flask, browser: Browser) -> None:
    page = import_page(app, browser, BAD, intent="apply")
    shown = text_of(browser.get(page))
    assert "Rows to fix" in shown
    assert "The email address is not one address" in shown
    assert "nobody" in shown
    with browser.get(f"{page}rejects.csv") as rejects:
        content = rejects.get_data()
    corrected = content.replace(b"nobody", b"cy@x.edu")
    import_page(app, browser, corrected, intent="apply")
    assert Voter.select().count() == 2


def test_the_page_shows_what_became_of_the_report_mail(app: Flask, browser: Browser) -> None:
    page = import_page(app, browser, ROLL)
    assert "Report mail pending" in text_of(browser.get(page))
    set_mails(state=OutboxState.FAILED, error="ConnectionRefusedError")
    assert "Report mail failed (ConnectionRefusedError)" in text_of(browser.get(page))


def test_the_choices_of_the_form_reach_the_import(app: Flask, browser: Browser) -> None:
    page = import_page(
        app, browser, BAD.replace(b",", b";"), intent="apply", mode="create_only", abort="y",
        expected_rows="2", max_rejected_percent="60", delimiter="semicolon",
    )  # fmt: skip
    assert Job.get().options == {
        "mode": "create_only",
        "on_error": "abort",
        "expected_rows": 2,
        "max_rejected_percent": 60.0,
        "delimiter": ";",
    }
    shown = text_of(browser.get(page))
    assert "asked to save nothing in this case" in shown
    assert "Fix these rows in the registrar's own file. Then import the whole file again." in shown
    assert "Download the rejected rows and fix them" not in shown
    assert Job.get().uploaded_by == "the importer"


@pytest.mark.parametrize(
    ("content", "name", "fields", "told"),
    [
        (b"", "roll.csv", {}, "empty"),
        (b"%PDF-1.7 ...", "roll.csv", {}, "PDF"),
        (ROLL, "", {}, "Choose a file."),
        (ROLL, "roll.csv", {"expected_rows": "-1"}, "Give a whole number."),
        (ROLL, "roll.csv", {"max_rejected_percent": "101"}, "Give a number from 0 to 100."),
    ],
)
def test_an_invalid_file_or_choice_is_reported_on_the_form(
    browser: Browser, content: bytes, name: str, fields: dict[str, str], told: str
) -> None:
    answer = send(browser, content, name, **fields)
    assert answer.status_code == 200
    assert told in text_of(answer)
    assert Job.select().count() == 0


def test_a_file_beyond_the_limit_is_reported(browser: Browser) -> None:
    answer = send(browser, HEADER + 300_000 * b"x")
    assert answer.status_code in (200, 413)
    assert "larger than the service accepts" in text_of(answer)
    assert Job.select().count() == 0


def test_a_waiting_import_is_cancelled_and_tried_again(app: Flask, browser: Browser) -> None:
    beat(this_worker("1"))
    page = str(send(browser, ROLL, intent="apply").location)
    told = browser.get(f"{page}progress/").get_json()
    assert told == {
        "state": "PENDING", "status": "Waiting for a worker.", "percent": None, "is_final": False,
    }  # fmt: skip
    assert browser.post(f"{page}cancel/", form_of=page).location == page
    assert "cancelled" in text_of(browser.get(page))
    assert browser.get(f"{page}progress/").get_json()["is_final"]
    again = browser.post(f"{page}retry/", form_of=page).location
    run_due_jobs(app)
    assert "1 of 1 rows saved" in text_of(browser.get(again))


def test_the_history_can_be_searched_sorted_and_paged(app: Flask, browser: Browser) -> None:
    for number in range(27):
        send(browser, ROLL, f"roll-{number:02}.csv")
    text = text_of(browser.get("/admin/imports/?sort=file"))
    assert "roll-00.csv" in text
    assert "roll-26.csv" not in text
    assert "roll-26.csv" in text_of(browser.get("/admin/imports/?sort=file&page=2"))
    assert text_of(browser.get("/admin/imports/?q=-13")).count("roll-") == 1
    for query in ("state=PENDING", "state=NONSENSE", "by=importer", "sort=x", "page=x", "q=%00"):
        assert browser.get(f"/admin/imports/?{query}").status_code == 200
    assert "No import matches." in text_of(browser.get("/admin/imports/?state=SUCCESS"))


def test_home_shows_the_roll_and_what_is_running(app: Flask, browser: Browser) -> None:
    assert "The roll is empty." in text_of(browser.get("/admin/"))
    import_page(app, browser, OTHER, intent="apply")
    send(browser, ROLL, "running.csv")
    shown = text_of(browser.get("/admin/"))
    assert "Voters 2" in shown
    assert "Eligible 50.0 %" in shown
    assert "running.csv Waiting" in shown
    assert re.search(r"Law 1 0\.0 %", shown)


def test_hostile_markup_is_shown_and_does_nothing(app: Flask, browser: Browser) -> None:
    name = f"{HOSTILE}.csv"
    row = ",".join([HOSTILE] * 3 + ["x@y"] + [HOSTILE] * 3)
    content = (
        f"student_id,first_name,last_name,email,department,year,is_eligible,{HOSTILE}\n{row},\n"
    )
    send(browser, content.encode(), name, intent="apply")
    good = f"student_id,email,first_name\n{HOSTILE},a@x.edu,{HOSTILE}\n"
    send(browser, good.encode(), name)
    run_due_jobs(app)
    assert JobFault.select().count() > 0
    pages = [f"/admin/imports/{job.id}/" for job in Job.select()]
    for path in (*pages, "/admin/imports/", "/admin/"):
        text = browser.get(path).get_data(as_text=True)
        assert "<script>alert" not in text
    assert all("&lt;script&gt;alert" in browser.get(path).get_data(as_text=True) for path in pages)


def test_a_viewer_sees_and_decides_nothing(app: Flask, browser: Browser) -> None:
    page = import_page(app, browser, BAD)
    viewer = browser_of(app, Role.VIEWER)
    shown = viewer.get(page).get_data(as_text=True)
    assert "Apply to the roll" not in shown
    assert "Download rejected rows" in shown
    assert "Import a file" not in text_of(viewer.get("/admin/"))
