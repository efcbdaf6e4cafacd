"""Every form of the pages needs the CSRF token of the session, over HTTP and HTTPS."""

from typing import Any

from flask import Flask, url_for

from shared.access.users import Role, create_user
from shared.database.connection import database
from tests.support.page_client import PASSWORD, Browser, browser_of, csrf_token

JOB = "0f0f0f0f-0f0f-4f0f-8f0f-0f0f0f0f0f0f"
PLACES: dict[str, Any] = {"task_id": JOB, "token_id": 1, "user_id": 1}


def posted_addresses(app: Flask) -> list[str]:
    """The path of each page that accepts a form."""
    with app.test_request_context():
        return [
            url_for(rule.endpoint, **{name: PLACES[name] for name in rule.arguments})
            for rule in app.url_map.iter_rules()
            if rule.rule.startswith("/admin/") and "POST" in (rule.methods or ())
        ]


def test_the_token_of_another_session_is_refused(app: Flask) -> None:
    other = csrf_token(browser_of(app, Role.IMPORTER).get("/admin/account/"))
    browser = browser_of(app, Role.ADMIN)
    for address in posted_addresses(app):
        answer = browser.client.post(address, data={"csrf_token": other})
        assert answer.status_code == 400, address


def test_https_forms_without_a_referrer_are_accepted(app: Flask) -> None:
    create_user("ann", PASSWORD, Role.ADMIN)
    database.close()
    client = Browser(app).client
    https = {"base_url": "https://roll.example.edu"}
    page = client.get("/admin/account/sign-in/", **https)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    fields = {"csrf_token": csrf_token(page), "username": "ann", "password": PASSWORD}
    answer = client.post("/admin/account/sign-in/", data=fields, **https)
    assert (answer.status_code, answer.location) == (302, "/admin/")
