"""Texts that databases and headers cannot hold, at every URL, on both databases."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from api.admin.guard import safe_next
from api.app import create_app
from config.settings import Settings
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.access.users import Role, create_user
from shared.database.connection import database, open_database
from shared.voters.models import Voter
from tests.conftest import close
from tests.support.api_client import ApiClient

PASSWORD = "tidal lamp orbit"
SIGN_IN = "/admin/account/sign-in/"
# NUL, half of a surrogate pair, a line break, a code point without a character, invalid UTF-8.
ENCODED = ["%00", "a%00b", "%ED%A0%80", "%0D%0AX-Evil:%201", "%EF%BF%BF", "%FF%FE", "%F0%9F%98%80"]
PARAMETERS = ("next", "ended", "page", "q", "after", "sort", "id", "state", "code", "subject")
FIELDS = (
    "username", "password", "old", "new", "again", "name", "role", "scopes", "expires", "reason",
    "first_name", "last_name", "email", "department", "year", "is_eligible", "version", "sheet",
    "encoding", "delimiter", "confirm",
)  # fmt: skip


@pytest.fixture
def any_app(settings: Settings, any_database_url: str) -> Iterator[Flask]:
    """The application on each kind of database, with a voter, an administrator and a token."""
    app = create_app(replace(settings, database_url=any_database_url))
    # Other tests check the CSRF tokens of forms.
    app.config.update(WTF_CSRF_ENABLED=False, WTF_CSRF_METHODS=set())
    opened = open_database(any_database_url)
    Voter.create(student_id="1", email="ann@x.edu")
    create_user("ann", PASSWORD, Role.ADMIN)
    database.close()
    yield app
    close(opened)


@pytest.fixture
def browser(any_app: Flask) -> Client:
    """A browser in which the administrator is signed in."""
    client = any_app.test_client()
    assert sign_in(client, "ann").status_code == 302
    return client


def sign_in(client: Client, name: str, **query: str) -> TestResponse:
    form = {"username": name, "password": PASSWORD}
    return client.post(SIGN_IN, data=form, query_string=query)


def addresses(app: Flask, method: str, prefix: str, text: str) -> list[str]:
    """All paths of a method below a prefix, with `text` wherever a path has a free text."""
    found = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(prefix) and method in (rule.methods or ()):
            path = rule.rule.replace("<uuid:task_id>", str(uuid4()))
            for argument in rule.arguments:
                for kind in ("", "path:", "string:", "student_id:"):
                    path = path.replace(f"<{kind}{argument}>", text)
            found.append(path)
    return [path for path in found if "<" not in path]


def test_no_text_in_a_url_causes_an_internal_error(any_app: Flask, browser: Client) -> None:
    headers = {"Authorization": f"Bearer {create_token('fuzz', [Scope.ADMIN])}"}
    database.close()
    for text in ENCODED:
        query = "&".join(f"{name}={text}" for name in PARAMETERS)
        paths = addresses(any_app, "GET", "/", text)
        assert len(paths) > 30
        for path in paths:
            with browser.get(f"{path}?{query}", headers=headers) as answer:
                assert answer.status_code < 500, (path, text)
                assert "X-Evil" not in answer.headers


def test_no_text_in_a_parameter_causes_an_internal_error(any_app: Flask) -> None:
    client = ApiClient(any_app, create_token("fuzz", [Scope.ADMIN]))
    database.close()
    document = client.get("/api/openapi.json").get_json()
    known = {
        (path.replace("{student_id}", "1").replace("{task_id}", str(uuid4())), parameter["name"])
        for path, operations in document["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", ())
        if parameter.get("in") == "query"
    }
    assert len(known) > 20
    for path, name in sorted(known):
        for text in ("%00", "%ED%A0%80"):
            with client.get(f"{path}?{name}={text}") as answer:
                assert answer.status_code < 500, (path, name)


def test_no_text_in_a_form_causes_an_internal_error(any_app: Flask, browser: Client) -> None:
    for path in addresses(any_app, "POST", "/admin/", "1"):
        if "sign-out" in path:
            continue
        everywhere = ["&".join(f"{name}={text}" for name in FIELDS) for text in ENCODED]
        for body in (*everywhere, "role=viewer&name=%00", "role=viewer&%00=1"):
            options: dict[str, Any] = {"content_type": "application/x-www-form-urlencoded"}
            with browser.post(path, data=body, **options) as answer:
                assert answer.status_code < 500, (path, body)
        with browser.post(path, data={"name": "\0"}, content_type="multipart/form-data") as answer:
            assert answer.status_code < 500, path


@pytest.mark.parametrize("text", ["\0", "a\0b", "\ud800", "\r\n", "\uffff"])
def test_no_text_in_a_body_causes_an_internal_error(any_app: Flask, text: str) -> None:
    client = ApiClient(any_app, create_token("fuzz", [Scope.ADMIN]))
    database.close()
    for name in ("first_name", "department", "email", "reason", "year", text):
        body = {"reason": "a mistake", name: text}
        answer = client.send(
            "PATCH",
            "/api/voters/1/",
            data=json.dumps(body),
            content_type="application/json",
            headers={"If-Match": '"x"'},
        )
        assert 400 <= answer.status_code < 500, name


def test_a_name_with_a_nul_is_refused_before_it_is_looked_up(any_app: Flask) -> None:
    answer = sign_in(any_app.test_client(), "an\0n")
    assert answer.status_code == 422
    assert answer.get_json()["message"] == "A text must not have a NUL character."


@pytest.mark.parametrize("text", ["\r\nX-Evil: 1", "\n", "\0", "\x7f", "\u2028", "\t"])
def test_after_signing_in_no_line_break_comes_into_a_header(any_app: Flask, text: str) -> None:
    answer = sign_in(any_app.test_client(), "ann", next=f"/admin/{text}")
    assert (answer.status_code, answer.location) == (302, "/admin/")
    with any_app.test_request_context():
        assert safe_next("/admin/voters/?q=J\u00f8rgen") == "/admin/voters/?q=J\u00f8rgen"
