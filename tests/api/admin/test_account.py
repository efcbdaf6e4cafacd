"""Sign-in, sign-out, passwords, and the end of a session."""

import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api.app import create_app
from config.settings import Settings
from shared.access.models import User
from shared.access.users import Role, create_user, deactivate, set_role
from shared.audit import AuditEntry
from shared.database.connection import database
from shared.jobs import jobs
from shared.jobs.jobs import StoredFile
from tests.support.page_client import PASSWORD, Browser, browser_of, text_of

SIGN_IN = "/admin/account/sign-in/"
ACCOUNT = "/admin/account/"
OTHER = "another long password"


def is_in(browser: Browser) -> bool:
    return browser.get("/admin/").status_code == 200


def test_a_user_signs_in_and_out(app: Flask) -> None:
    browser = browser_of(app, Role.VIEWER)
    assert is_in(browser)
    assert browser.post("/admin/account/sign-out/", form_of=ACCOUNT).location == SIGN_IN
    assert not is_in(browser)


def test_the_wanted_page_comes_after_signing_in(app: Flask) -> None:
    create_user("ann", PASSWORD, Role.VIEWER)
    browser = Browser(app)
    asked = browser.get("/admin/imports/?q=x").location
    assert asked == "/admin/account/sign-in/?next=/admin/imports/?q%3Dx"
    answer = browser.post(asked, form_of=asked, username="ann", password=PASSWORD)
    assert answer.location == "/admin/imports/?q=x"


def test_a_form_sent_after_the_session_ended_shows_the_reason(app: Flask) -> None:
    browser = Browser(app)
    asked = browser.client.post("/admin/import/").location
    for _ in range(2):  # A script may follow the redirect before the user does.
        assert "Your session has ended. Sign in" in text_of(browser.get(asked))
    assert "Your session has ended" not in text_of(browser.get(SIGN_IN))


def test_after_sign_in_a_late_form_returns_to_its_page_or_home(app: Flask) -> None:
    create_user("ann", PASSWORD, Role.VIEWER)
    browser = Browser(app)
    for sent, after in (
        ("/admin/voters/voter/?id=1%2F2", "/admin/voters/voter/?id=1%2F2"),
        ("/admin/account/sign-out/", "/admin/"),
        ("/admin/no-such-page/", "/admin/"),
    ):
        asked = browser.client.post(sent).location
        answer = browser.post(asked, form_of=asked, username="ann", password=PASSWORD)
        assert answer.location == after
        browser.client.delete_cookie("voter_session")


@pytest.mark.parametrize(("name", "password"), [("ann", "wrong"), ("bob", PASSWORD)])
def test_wrong_names_and_passwords_get_the_same_answer(
    app: Flask, name: str, password: str
) -> None:
    create_user("ann", PASSWORD, Role.VIEWER)
    browser = Browser(app)
    answer = browser.sign_in(name, password)
    assert answer.status_code == 200
    assert "The name or the password is wrong." in text_of(answer)
    assert not is_in(browser)


def test_a_user_who_guesses_too_often_must_wait(settings: Settings, app: Flask) -> None:
    create_user("ann", PASSWORD, Role.VIEWER)
    limits = replace(settings.limits, sign_in_failures=3)
    browser = Browser(create_app(replace(settings, limits=limits)))
    for _ in range(3):
        browser.sign_in("ann", "wrong")
    answer = browser.sign_in("ann", PASSWORD)
    assert "Too many wrong passwords. Wait 15 min." in text_of(answer)
    assert not is_in(browser)


def test_current_password_guesses_are_limited_like_sign_ins(settings: Settings, app: Flask) -> None:
    limits = replace(settings.limits, sign_in_failures=2)
    thief = browser_of(create_app(replace(settings, limits=limits)), Role.VIEWER)

    def guess(old: str) -> str:
        return text_of(thief.post(ACCOUNT, form_of=ACCOUNT, old=old, new=OTHER, again=OTHER))

    assert ["not your current password" in guess("wrong") for _ in range(2)] == [True, True]
    assert "Too many wrong passwords. Wait 15 min." in guess(PASSWORD)
    assert AuditEntry.select().where(AuditEntry.outcome == "refused").count() == 2


def test_signing_out_ends_all_sessions_and_copied_cookies(app: Flask) -> None:
    here, there = browser_of(app, Role.VIEWER), browser_of(app, Role.VIEWER)
    bystander = browser_of(app, Role.IMPORTER)
    stolen = here.client.get_cookie("voter_session")
    assert stolen is not None
    here.post("/admin/account/sign-out/", form_of=ACCOUNT)
    here.client.set_cookie("voter_session", stolen.value)
    assert [is_in(browser) for browser in (here, there, bystander)] == [False, False, True]


def test_a_new_password_ends_all_sessions(app: Flask) -> None:
    here, there = browser_of(app, Role.VIEWER), browser_of(app, Role.VIEWER)
    answer = here.post(ACCOUNT, form_of=ACCOUNT, old=PASSWORD, new=OTHER, again=OTHER)
    assert answer.location == SIGN_IN
    assert not is_in(here)
    assert not is_in(there)
    assert here.sign_in("the viewer", PASSWORD).status_code == 200
    assert here.sign_in("the viewer", OTHER).status_code == 302


@pytest.mark.parametrize(
    ("old", "new", "again", "told"),
    [
        ("wrong", OTHER, OTHER, "This is not your current password."),
        (PASSWORD, OTHER, "else", "The two new passwords are different."),
        (PASSWORD, "short", "short", "A password has 10 to 200 characters."),
        (PASSWORD, "The Viewer", "The Viewer", "The password must not be the name."),
    ],
)
def test_a_new_password_that_will_not_do_is_refused(
    app: Flask, old: str, new: str, again: str, told: str
) -> None:
    browser = browser_of(app, Role.VIEWER)
    answer = browser.post(ACCOUNT, form_of=ACCOUNT, old=old, new=new, again=again)
    assert told in text_of(answer)
    assert is_in(browser)


def test_a_session_lasts_from_the_last_step_of_its_user(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = browser_of(app, Role.VIEWER)
    job = jobs.create(StoredFile("key", "roll.csv", 10, "sha", "csv"), uploaded_by="ann")
    database.close()
    began = time.time()
    hours = timedelta(hours=1).total_seconds()

    def after(passed: int, path: str, **options: Any) -> TestResponse:
        monkeypatch.setattr(time, "time", lambda: began + passed * hours)
        answer = browser.get(path, **options)
        answer.close()
        return answer

    progress = f"/admin/imports/{job}/progress/"
    assert after(7, "/admin/").status_code == 200
    assert after(14, progress).status_code == 200
    assert after(14, "/admin/", headers={"X-Unattended": "1"}).status_code == 200
    assert after(14, "/admin/assets/pages.css").status_code == 200
    assert after(16, progress).location.startswith(SIGN_IN)
    assert after(16, "/admin/").location.startswith(SIGN_IN)


def test_deactivation_ends_a_session_at_once(app: Flask) -> None:
    browser_of(app, Role.ADMIN)
    browser = browser_of(app, Role.IMPORTER)
    assert deactivate(User.get(User.username == "the importer").id)
    assert not is_in(browser)
    assert browser.sign_in("the importer").status_code == 200


def test_the_last_admin_stays(app: Flask) -> None:
    browser_of(app, Role.ADMIN)
    admin = User.get()
    assert not deactivate(admin.id)
    assert not set_role(admin.id, Role.VIEWER)
    create_user("second", PASSWORD, Role.ADMIN)
    assert set_role(admin.id, Role.VIEWER)


def test_scripts_and_other_sites_cannot_use_the_cookie(settings: Settings, app: Flask) -> None:
    deployed = create_app(replace(settings, debug=False))
    create_user("ann", PASSWORD, Role.VIEWER)
    client = deployed.test_client()
    page = client.get(SIGN_IN, base_url="https://localhost").get_data(as_text=True)
    assert "csrf_token" in page
    assert deployed.config["SESSION_COOKIE_SECURE"]
    cookie = client.get(SIGN_IN, base_url="https://localhost")
    assert cookie.status_code == 200
    stored = client.get_cookie("voter_session")
    assert stored is not None
    assert (stored.secure, stored.http_only, stored.same_site) == (True, True, "Lax")


@pytest.mark.parametrize(
    ("ahead_seconds", "is_kept"), [(2, True), (240, True), (-240, True), (86_400, False)]
)
def test_a_session_of_a_web_process_with_another_clock_is_taken(
    app: Flask, monkeypatch: pytest.MonkeyPatch, ahead_seconds: int, is_kept: bool
) -> None:
    right_time = time.time
    with monkeypatch.context() as patched:
        patched.setattr(time, "time", lambda: right_time() + ahead_seconds)
        browser = browser_of(app, Role.VIEWER)
    assert is_in(browser) == is_kept
