"""The roles that may open each page. The tests walk the URL map, so they include new pages."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from api.access.auth import UNMARKED, is_page
from api.admin.guard import PUBLIC_ENDPOINTS, safe_next
from shared.access.users import ROLE_SCOPES, Role
from tests.support.page_client import Browser, browser_of, csrf_token

SIGN_IN = "/admin/account/sign-in/"
PAGES = tuple(
    f"/admin/{name}"
    for name in ("", "import/", "imports/", "voters/", "tokens/", "people/", "audit/", "account/")
)
ANY = str(uuid4())
PLACES: dict[str, Any] = {"task_id": ANY, "token_id": 1, "user_id": 1, "filename": "pages.css"}


def pages(app: Flask) -> list[tuple[str, str, str]]:
    """Endpoint, method and path of every page."""
    found = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if is_page(rule.rule):
                built = rule.build({name: PLACES[name] for name in rule.arguments})
                assert built is not None
                methods = (rule.methods or set()) & {"GET", "POST"}
                found += [(rule.endpoint, method, built[1]) for method in sorted(methods)]
    assert len(found) > 10
    return found


def test_a_stranger_comes_to_the_sign_in_alone(app: Flask) -> None:
    for endpoint, method, path in pages(app):
        if endpoint in PUBLIC_ENDPOINTS:
            continue
        answer = app.test_client().open(path, method=method)
        assert answer.status_code == 302, (method, path)
        assert answer.location.startswith(SIGN_IN), (method, path)


@pytest.mark.parametrize("role", list(Role))
def test_a_role_opens_what_it_may_and_nothing_else(app: Flask, role: Role) -> None:
    browser = browser_of(app, role)
    token = csrf_token(browser.get("/admin/account/"))
    for endpoint, method, path in pages(app):
        if endpoint in PUBLIC_ENDPOINTS or endpoint == "account.sign_out":
            continue
        scopes = set(getattr(app.view_functions[endpoint], "scopes", UNMARKED))
        may = not scopes.isdisjoint(ROLE_SCOPES[role])
        with browser.client.open(path, method=method, data={"csrf_token": token}) as answer:
            assert (answer.status_code != 403) is may, (method, path, answer.status_code)


def test_a_form_without_its_token_does_nothing(app: Flask) -> None:
    browser = browser_of(app, Role.ADMIN)
    for endpoint, method, path in pages(app):
        if method == "POST":
            assert browser.client.post(path).status_code == 400, path
            assert browser.client.post(path, data={"csrf_token": "x"}).status_code == 400, endpoint
    assert browser.get("/admin/").status_code == 200


def test_an_error_is_a_page_for_a_user_and_json_for_the_script(app: Flask) -> None:
    browser = browser_of(app, Role.VIEWER)
    path = f"/admin/imports/{ANY}/"
    page = browser.get(path, headers={"Accept": "text/html"})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert "There is no job with this id." in page.get_data(as_text=True)
    told = browser.get(f"{path}progress/", headers={"Accept": "application/json"})
    assert told.get_json()["errors"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/admin/",
        "//evil.example/admin/",
        "/\\evil.example/admin/",
        "/admin/\\..\\x",
        "/api/docs/",
        "javascript:alert(1)",
        "",
        None,
    ],
)
def test_signing_in_leads_to_no_other_place(app: Flask, target: str | None) -> None:
    with app.test_request_context():
        assert safe_next(target) == "/admin/"
        assert safe_next("/admin/imports/?q=x") == "/admin/imports/?q=x"


def test_pages_load_nothing_external_and_have_no_inline_script(app: Flask) -> None:
    browser: Browser = browser_of(app, Role.ADMIN)
    for path in (*PAGES, SIGN_IN):
        answer = browser.get(path)
        text = answer.get_data(as_text=True)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert "https://" not in text
        assert " style=" not in text
        assert "<script>" not in text
