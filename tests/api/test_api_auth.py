"""Nothing answers without a credential, and a credential opens what its scopes say."""

from uuid import uuid4

import pytest
from api_client import ApiClient
from application import client_of
from flask import Flask

from shared.credentials import ApiToken, Scope
from shared.database import clock

TASK = f"/api/task-status/{uuid4()}/"
PUBLIC = {
    "/",
    "/health/live",
    "/health/ready",
    "/api/openapi.json",
    "/api/docs/",
    "/api/docs/start.js",
    "/api/docs/assets/swagger-ui.css",
}
PARAMETERS = {"task_id": str(uuid4()), "student_id": "1", "name": "swagger-ui.css"}


def every_address(app: Flask) -> list[tuple[str, str]]:
    """Each method and path of the application, so that a new one cannot be forgotten."""
    addresses = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            values = {name: PARAMETERS[name] for name in rule.arguments}
            built = rule.build(values)
            assert built is not None
            addresses += [(method, built[1]) for method in sorted(rule.methods or ())]
    return addresses


def test_every_address_but_the_public_ones_demands_a_credential(app: Flask) -> None:
    stranger = ApiClient(app, "")
    answering = set()
    for method, path in every_address(app):
        with stranger.send(method, path) as answer:
            if answer.status_code != 401:
                answering.add(path)
    assert answering == PUBLIC


@pytest.mark.parametrize("path", ["/nothing", "/api/", "/api/docs/assets/x/y", "/static/x"])
def test_what_does_not_exist_is_told_only_to_those_who_may_come_in(
    app: Flask, client: ApiClient, path: str
) -> None:
    assert ApiClient(app, "").get(path).status_code == 401
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    "shown", ["Bearer nonsense", "Bearer ", "Bearer", "Basic YTpi", "", "Bearer ä", "bearer\tx"]
)
def test_what_is_no_known_token_is_refused_with_a_challenge(app: Flask, shown: str) -> None:
    answer = ApiClient(app, "").get("/api/voters/", headers={"Authorization": shown})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_is_refused(app: Flask, client: ApiClient) -> None:
    assert client.get("/api/voters/").status_code == 200
    ApiToken.update(revoked_at=clock()).execute()
    assert client.get("/api/voters/").status_code == 401


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        (Scope.READ, "GET", "/api/voters/", 200),
        (Scope.READ, "GET", TASK, 404),
        (Scope.READ, "POST", "/api/upload/", 403),
        (Scope.IMPORT, "GET", "/api/voters/", 403),
        (Scope.IMPORT, "GET", "/api/voters/1/", 403),
        (Scope.IMPORT, "GET", TASK, 404),
        (Scope.IMPORT, "POST", "/api/upload/", 400),
        (Scope.ADMIN, "GET", "/api/voters/", 200),
        (Scope.ADMIN, "GET", TASK, 404),
        (Scope.ADMIN, "POST", "/api/upload/", 400),
    ],
)
def test_a_scope_opens_what_it_is_for(
    app: Flask, scope: Scope, method: str, path: str, status: int
) -> None:
    assert client_of(app, scope).send(method, path).status_code == status


def test_a_refusal_names_the_missing_scope(app: Flask) -> None:
    answer = client_of(app, Scope.READ).upload(b"x")
    assert answer.status_code == 403
    assert "`import`" in answer.get_json()["message"]
    assert 'scope="import"' in answer.headers["WWW-Authenticate"]


def test_a_view_that_names_no_scope_is_an_admins(app: Flask) -> None:
    app.add_url_rule("/unmarked", view_func=lambda: "open")
    assert client_of(app, Scope.READ, Scope.IMPORT).get("/unmarked").status_code == 403
    assert client_of(app, Scope.ADMIN).get("/unmarked").status_code == 200
