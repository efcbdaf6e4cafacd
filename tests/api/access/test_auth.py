"""Every URL needs a credential, and the scopes of a credential decide what it opens."""

from uuid import UUID

import pytest
from flask import Flask

from api.access.auth import REALM, UNMARKED, is_page
from shared.access.models import ApiToken
from shared.access.scopes import Scope
from shared.database.sql import clock
from tests.support.api_client import ApiClient
from tests.support.application import client_of

TASK = f"/api/task-status/{UUID(int=1)}/"
PUBLIC = {
    "/",
    "/health/live",
    "/health/ready",
    "/api/openapi.json",
    "/api/docs/",
    "/api/docs/start.js",
    "/api/docs/assets/swagger-ui.css",
}
PARAMETERS = {"task_id": str(UUID(int=1)), "student_id": "1", "name": "swagger-ui.css"}
# A value for the parameter of a new rule, which fits every converter.
ANY = str(UUID(int=1))


def every_address(app: Flask) -> list[tuple[str, str, str]]:
    """Each endpoint, method and path of the application, so the tests include new ones.

    The pages for users are left out. They have their own guard and test.
    """
    addresses = []
    with app.test_request_context():
        for rule in app.url_map.iter_rules():
            if is_page(rule.rule):
                continue
            built = rule.build({name: PARAMETERS.get(name, ANY) for name in rule.arguments})
            assert built is not None, f"give {rule.rule} its parameters"
            addresses += [(rule.endpoint, name, built[1]) for name in sorted(rule.methods or ())]
    assert {"GET", "HEAD", "OPTIONS", "POST"} <= {method for _, method, _ in addresses}
    return addresses


def test_every_url_except_the_public_ones_requires_a_credential(app: Flask) -> None:
    stranger = ApiClient(app, "")
    answering = set()
    for _, method, path in every_address(app):
        with stranger.send(method, path) as answer:
            if answer.status_code != 401:
                answering.add(path)
            else:
                assert answer.headers["WWW-Authenticate"] == f"Bearer {REALM}"
    assert answering == PUBLIC


def test_every_url_except_public_ones_requires_one_of_its_scopes(app: Flask) -> None:
    clients = {scope: client_of(app, scope) for scope in (Scope.READ, Scope.IMPORT, Scope.METRICS)}
    powerless = client_of(app)
    refused = set()
    router = app.url_map.bind("localhost")
    for _, method, path in every_address(app):
        if path in PUBLIC:
            continue
        # Two rules can fit, as for reading and correcting a voter. The router chooses.
        endpoint, _ = router.match(path, method=method)
        scopes = getattr(app.view_functions[endpoint], "scopes", UNMARKED)
        too_small = [client for scope, client in clients.items() if scope not in scopes]
        for client in (powerless, *too_small):
            answer = client.send(method, path)
            assert answer.status_code == 403, (method, path)
            assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
            refused.add(path)
        for scope in set(clients) & set(scopes):
            with clients[scope].send(method, path) as given:
                assert given.status_code not in (401, 403), (method, path)
    assert refused == {path for _, _, path in every_address(app)} - PUBLIC


def test_an_unsupported_method_is_reported_only_with_a_token(app: Flask) -> None:
    admin = client_of(app, Scope.ADMIN)
    for method in ("DELETE", "TRACE", "PROPFIND", "GEHEIM"):
        assert ApiClient(app, "").send(method, "/api/voters/").status_code == 401
        assert admin.send(method, "/api/voters/").status_code == 405


@pytest.mark.parametrize("path", ["/nothing", "/api/", "/api/docs/assets/x/y", "/static/x"])
def test_an_unknown_url_is_reported_only_with_a_token(
    app: Flask, client: ApiClient, path: str
) -> None:
    assert ApiClient(app, "").get(path).status_code == 401
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("shown", "error"),
    [
        ("Bearer nonsense", ', error="invalid_token", error_description="The token is unknown"'),
        ("Bearer ä", ', error="invalid_token", error_description="The token is unknown"'),
        ("bearer x", ', error="invalid_token", error_description="The token is unknown"'),
        ("Bearer ", ""),
        ("Bearer", ""),
        ("Basic YTpi", ""),
        ("Digest a=b", ""),
        ("", ""),
        ("\x00", ""),
    ],
)
def test_what_is_no_known_token_is_refused_with_a_challenge(
    app: Flask, shown: str, error: str
) -> None:
    """The challenge names an error only if the request has a token (RFC 6750, section 3)."""
    answer = ApiClient(app, "").get("/api/voters/", headers={"Authorization": shown})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == f"Bearer {REALM}{error}"


@pytest.mark.parametrize("state", ["revoked", "expired"])
def test_an_ended_token_is_refused_with_the_reason(
    app: Flask, client: ApiClient, state: str
) -> None:
    assert client.get("/api/voters/").status_code == 200
    ended = {"revoked_at" if state == "revoked" else "expires_at": clock()}
    ApiToken.update(**ended).execute()
    answer = client.get("/api/voters/")
    assert answer.status_code == 401
    assert f"has {'been ' * (state == 'revoked')}{state}" in answer.get_json()["message"]
    assert f'{state}"' in answer.headers["WWW-Authenticate"]
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_is_taken_from_its_header_alone(app: Flask, client: ApiClient) -> None:
    token = client.headers["Authorization"].removeprefix("Bearer ")
    stranger = ApiClient(app, "")
    assert stranger.get(f"/api/voters/?access_token={token}").status_code == 401
    form = {"access_token": token}
    assert stranger.send("POST", "/api/upload/", data=form).status_code == 401


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
        (Scope.METRICS, "GET", "/metrics", 200),
        (Scope.METRICS, "GET", "/api/voters/", 403),
        (Scope.READ, "GET", "/metrics", 403),
        (Scope.ADMIN, "GET", "/metrics", 200),
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


def test_a_view_that_names_no_scope_is_an_admins(own_app: Flask) -> None:
    own_app.add_url_rule("/unmarked", view_func=lambda: "open")
    assert client_of(own_app, Scope.READ, Scope.IMPORT).get("/unmarked").status_code == 403
    assert client_of(own_app, Scope.ADMIN).get("/unmarked").status_code == 200
