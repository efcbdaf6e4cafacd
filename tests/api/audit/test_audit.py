"""`GET /api/audit/` and `flask audit`: who did what, when, and from which IP address."""

import json

import pytest
from flask import Flask

from shared.access.scopes import Scope
from shared.audit import Action, Actor, ActorKind, AuditEntry, Outcome, act_as, record
from shared.database.connection import database
from shared.database.sql import clock
from tests.support.api_client import ApiClient
from tests.support.application import client_of

AUDIT = "/api/audit/"


@pytest.fixture
def admin(app: Flask) -> ApiClient:
    """A client with the scope `admin`. Its token makes the first audit entry, three more follow."""
    admin = client_of(app, Scope.ADMIN)
    act_as(Actor(ActorKind.USER, "ann", "2001:db8::7"))
    record(Action.EDIT, "007", detail="email")
    record(Action.EXPORT, detail="csv, the whole roll")
    act_as(Actor(ActorKind.STRANGER, address="192.0.2.7"))
    record(Action.SIGN_IN, "ann", outcome=Outcome.REFUSED)
    database.close()
    return admin


def actions(admin: ApiClient, query: str) -> list[str]:
    answer = admin.get(f"{AUDIT}?{query}")
    assert answer.status_code == 200, answer.get_json()
    return [entry["action"] for entry in answer.get_json()]


def test_an_entry_says_who_did_what_when_and_from_where(admin: ApiClient) -> None:
    entry = admin.get(f"{AUDIT}?action=edit").get_json()[0]
    assert entry.pop("at").endswith("Z")
    assert isinstance(entry.pop("id"), int)
    assert entry == {
        "actor_kind": "person",
        "actor": "ann",
        "address": "2001:db8::7",
        "action": "edit",
        "subject": "007",
        "outcome": "ok",
        "detail": "email",
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["sign-in", "export", "edit", "create-token"]),
        ("action=export", ["export"]),
        ("outcome=refused", ["sign-in"]),
        ("actor=ann", ["export", "edit"]),
        ("subject=ann", ["sign-in"]),
        ("subject=007&actor=ann", ["edit"]),
        ("actor=bob", []),
        ("since=2000-01-01T00:00:00Z", ["sign-in", "export", "edit", "create-token"]),
        ("until=2000-01-01T00:00:00Z", []),
        ("since=2100-01-01T00:00:00%2B02:00", []),
    ],
)
def test_entries_are_found_the_newest_first(admin: ApiClient, query: str, found: list[str]) -> None:
    assert actions(admin, query) == found


@pytest.mark.parametrize(
    "query",
    ["who=ann", "action=dance", "since=yesterday", "since=2026-01-01T00:00:00", "after=x",
     "after=1&page=2", "actor=", "subject=%00", "until=9999-12-31T23:59:59-10:00",
     f"after={'9' * 19}"],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused(admin: ApiClient, query: str) -> None:
    assert admin.get(f"{AUDIT}?{query}").status_code == 422


def test_a_cursor_visits_each_entry_once_while_new_ones_arrive(admin: ApiClient) -> None:
    answer = admin.get(f"{AUDIT}?page_size=2")
    assert json.loads(answer.headers["X-Pagination"])["total"] == 4
    met = [entry["id"] for entry in answer.get_json()]
    while "Link" in answer.headers:
        record(Action.EXPORT)
        address = answer.headers["Link"].partition("<")[2].partition(">")[0]
        answer = admin.get(address)
        met += [entry["id"] for entry in answer.get_json()]
    assert met == sorted(met, reverse=True)
    assert len(met) == len(set(met)) == 4
    assert len(actions(admin, "after=&page_size=3")) == 3
    assert actions(admin, "page=2&page_size=5") == []


@pytest.mark.parametrize("scope", [Scope.READ, Scope.IMPORT])
def test_only_an_admin_reads_the_entries(app: Flask, scope: Scope) -> None:
    assert client_of(app, scope).get(AUDIT).status_code == 403


def test_the_command_prints_the_latest_at_the_end(app: Flask, admin: ApiClient) -> None:
    runner = app.test_cli_runner()
    act_as(Actor(ActorKind.TOKEN, "bell\a\x1b[2J"))
    record(Action.PURGE)
    lines = runner.invoke(args=["audit", "--last", "3"]).stdout.splitlines()
    assert lines[0].split() == ["WHEN", "WHO", "FROM", "WHAT", "SUBJECT", "DETAIL"]
    assert [line[21:] for line in lines[1:]] == [
        "person ann       2001:db8::7  export             -        csv, the whole roll",
        "stranger         192.0.2.7    sign-in (refused)  ann",
        "token bell??[2J  -            purge              -",
    ]
    told = runner.invoke(args=["audit", "--json", "--subject", "ann", "--action", "sign-in"])
    assert json.loads(told.stdout)["outcome"] == "refused"


def test_the_time_of_an_entry_is_the_database_s(admin: ApiClient) -> None:
    is_now = AuditEntry.at.between(clock(-60), clock())
    assert AuditEntry.select().where(is_now).count() == 4
