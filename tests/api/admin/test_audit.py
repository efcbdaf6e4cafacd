"""The audit page: only for administrators, with every action and actor, and with hostile names."""

from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from markupsafe import escape

from shared.access.users import Role
from shared.audit import SERVICE, Action, Actor, ActorKind, act_as, record
from shared.database.connection import database
from tests.support.page_client import Browser, browser_of, text_of

AUDIT = "/admin/audit/"
MARKUP = "\"'><script>alert(1)</script>{{7*7919}}"
JOB = "7f9c24e5-2f6a-4c1b-9d55-0f4f3a4c2a10"


@pytest.fixture
def admin(app: Flask) -> Browser:
    browser = browser_of(app, Role.ADMIN)
    act_as(Actor(ActorKind.TOKEN, MARKUP, "192.0.2.7"))
    record(Action.EDIT, MARKUP, detail=MARKUP)
    record(Action.CANCEL, JOB)
    act_as(SERVICE)
    database.close()
    return browser


def test_the_page_shows_entries_with_links_to_their_objects(admin: Browser) -> None:
    page = admin.get(AUDIT)
    assert "Sign in" in text_of(page)
    assert "192.0.2.7" in text_of(page)
    html = page.get_data(as_text=True)
    assert MARKUP not in html
    assert html.count(str(escape(MARKUP))) >= 3
    assert f'href="/admin/imports/{JOB}/"' in html
    assert 'href="/admin/voters/voter/?id=' in html


def test_the_page_names_actions_on_users_in_its_own_words(admin: Browser) -> None:
    act_as(Actor(ActorKind.USER, "ann"))
    record(Action.LOCK_OUT, "bob")
    act_as(SERVICE)
    table_text = text_of(admin.get(f"{AUDIT}?action=lock-out")).partition("Details")[2]
    assert "Deactivate user" in table_text
    assert "ann user" in table_text
    assert "Lock out" not in table_text


def test_the_page_finds_entries(admin: Browser) -> None:
    def table_text(query: str) -> str:
        return text_of(admin.get(f"{AUDIT}?{query}")).partition("Detail")[2]

    today = datetime.now(UTC).date()
    assert JOB in table_text(f"action=cancel&actor={MARKUP}&subject={JOB}")
    assert "No entry matches." in table_text("outcome=refused")
    assert "No entry matches." in table_text("action=no-such-action")
    assert JOB in table_text(f"since={today}&until={today}")
    assert "No entry matches." in table_text(f"until={today - timedelta(days=2)}")
    for odd in ("since=yesterday", "until=9999-12-31", "since=0001-01-01", "page=x"):
        assert JOB in table_text(odd), odd
