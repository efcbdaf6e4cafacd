"""A user of the pages: signs in, keeps the session, sends forms with the page's CSRF token."""

import html
import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from shared.access.models import User
from shared.access.users import Role, create_user
from shared.database.connection import database

PASSWORD = "long enough for anybody"
_TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
_TAG = re.compile("<[^>]+>")


class Browser:
    """A client of the pages that does not follow redirects."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()

    def get(self, path: str, **options: Any) -> TestResponse:
        return self.client.get(path, **options)

    def post(self, path: str, *, form_of: str, **fields: Any) -> TestResponse:
        """Send a form with the CSRF token of the page `form_of`."""
        token = csrf_token(self.get(form_of))
        return self.client.post(path, data={"csrf_token": token, **fields})

    def sign_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        address = "/admin/account/sign-in/"
        return self.post(address, form_of=address, username=name, password=password)


def browser_of(app: Flask, role: Role, name: str = "") -> Browser:
    """A browser in which a user with this role is signed in.

    The user is created if missing. Without `name`, the user is called "the ROLE".
    """
    name = name or f"the {role}"
    if User.get_or_none(User.username == name) is None:
        create_user(name, PASSWORD, role)
    database.close()
    browser = Browser(app)
    answer = browser.sign_in(name)
    assert (answer.status_code, answer.location) == (302, "/admin/"), answer.get_data(as_text=True)
    return browser


def csrf_token(page: TestResponse) -> str:
    """The CSRF token in the forms of a page."""
    found = _TOKEN.search(page.get_data(as_text=True))
    assert found, page.get_data(as_text=True)
    return found.group(1)


def text_of(page: TestResponse) -> str:
    """The visible text of a page, on one line."""
    return " ".join(html.unescape(_TAG.sub(" ", page.get_data(as_text=True))).split())
