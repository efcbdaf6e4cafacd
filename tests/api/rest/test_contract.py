"""Every URL refuses what the OpenAPI document does not name, in the same way."""

from typing import Any

import pytest
from flask import Flask

from api.rest.blueprint import Blueprint
from shared.access.scopes import Scope
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of

VOTERS = "/api/voters/"
VALUES = {"task_id": "7f9c24e5-2f6a-4c1b-9d55-0f4f3a4c2a10", "student_id": "1"}


def held_addresses(app: Flask) -> list[tuple[str, str]]:
    """Method and path of /metrics and of all rules below /api/, except the Swagger UI page."""
    addresses = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(("/api/", "/metrics")) and not rule.endpoint.startswith("docs."):
            built = rule.build({name: VALUES.get(name, "1") for name in rule.arguments})
            assert built is not None
            methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
            addresses += [(method, built[1]) for method in methods]
    return addresses


def test_every_url_refuses_unknown_query_parameters(app: Flask) -> None:
    admin = client_of(app, Scope.ADMIN)
    addresses = held_addresses(app)
    assert ("POST", "/api/upload/") in addresses
    for method, path in addresses:
        answer = admin.send(method, f"{path}?yaer=2")
        assert answer.status_code == 422, (method, path)
        assert answer.get_json()["errors"] == {
            "code": "INVALID_PARAMETER",
            "query": {"yaer": ["Unknown field."]},
        }


def test_every_resource_answers_conditional_requests_alike(app: Flask) -> None:
    resources = {
        rule.endpoint.partition(".")[0]
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and "docs" not in rule.endpoint
    }
    assert [name for name in resources if not isinstance(app.blueprints[name], Blueprint)] == []
    assert "Voters" in resources


def test_a_parameter_given_twice_is_refused(client: ApiClient) -> None:
    answer = client.upload(ROLL, query_string="dry_run=true&dry_run=false")
    assert answer.status_code == 422
    assert answer.get_json()["errors"]["query"] == {"dry_run": ["Give it only once."]}


def test_a_flood_of_unknown_parameters_is_not_echoed(client: ApiClient) -> None:
    names = "&".join(f"{number}{'x' * 500}=1" for number in range(50))
    answer = client.get(f"{VOTERS}?{names}")
    assert answer.status_code == 422
    assert len(answer.get_data()) < 2000


def test_pages_for_users_bear_any_link(app: Flask) -> None:
    stranger = ApiClient(app, "")
    assert stranger.get("/api/docs/?from=mail").status_code == 200
    assert stranger.get("/health/live?probe=1", headers={"Accept": "text/x"}).status_code == 200


@pytest.mark.parametrize(
    ("accept", "status"),
    [
        (None, 200),
        ("", 200),
        ("*/*", 200),
        ("application/json", 200),
        ("APPLICATION/JSON", 200),
        ("application/json; charset=utf-8", 200),
        ("application/*", 200),
        ("text/html, application/json;q=0.1", 200),
        ("text/html, */*;q=0.1", 200),
        ("text/csv;q=0, application/json", 200),
        ("text/html", 406),
        ("text/csv, text/html", 406),
        ("application/json;q=0", 406),
        ("application/json;q=0, */*", 406),
        ("application/*;q=0, text/html", 406),
        ("*/*;q=0", 406),
        ("nonsense", 406),
    ],
)
def test_an_answer_has_an_accepted_media_type_or_is_406(
    client: ApiClient, accept: str | None, status: int
) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = client.get(VOTERS, headers=headers)
    assert answer.status_code == status
    assert answer.mimetype == "application/json"
    if status == 406:
        assert answer.get_json()["errors"] == {"code": "NOT_ACCEPTABLE"}


def test_a_download_is_had_as_what_it_is(client: ApiClient) -> None:
    path = f"/api/jobs/{VALUES['task_id']}/rejects.csv"
    assert client.get(path, headers={"Accept": "text/csv"}).status_code == 404
    assert client.get(path, headers={"Accept": "application/json"}).status_code == 406


def test_a_packed_body_is_refused_with_what_is_taken(client: ApiClient) -> None:
    answer = client.upload(ROLL, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 415
    assert answer.headers["Accept-Encoding"] == "identity"
    assert client.upload(ROLL, headers={"Content-Encoding": "identity"}).status_code == 202


@pytest.mark.parametrize("path", [VOTERS, "/api/voters/none/", "/nothing", f"{VOTERS}?x=1"])
def test_head_answers_as_get_does_without_the_body(client: ApiClient, path: str) -> None:
    told, shown = client.send("HEAD", path), client.get(path)
    assert told.status_code == shown.status_code
    assert told.get_data() == b""
    for name in ("Content-Type", "Content-Length", "X-Pagination", "Cache-Control"):
        assert told.headers.get(name) == shown.headers.get(name), name


def methods_of(app: Flask) -> dict[str, set[str]]:
    """The methods of each path."""
    methods: dict[str, set[str]] = {}
    for method, path in held_addresses(app):
        methods.setdefault(path, set()).add(method)
    return methods


def fits_a_voter(path: str) -> bool:
    """Whether a path is below that of the voters, so it is also the path of a student id."""
    return path.startswith(VOTERS) and path != VOTERS


def test_options_lists_the_methods_of_every_address(app: Flask) -> None:
    admin = client_of(app, Scope.ADMIN)
    for path, known in methods_of(app).items():
        answer = admin.send("OPTIONS", path)
        assert answer.status_code == 200
        assert answer.get_data() == b""
        allowed = set(answer.headers["Allow"].split(", "))
        expected = known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())
        assert allowed - expected <= ({"PATCH"} if fits_a_voter(path) else set())
        assert expected <= allowed


def test_any_other_method_is_refused_with_those_that_are_known(app: Flask) -> None:
    admin = client_of(app, Scope.ADMIN)
    tried: list[Any] = []
    for path, methods in methods_of(app).items():
        known = methods | ({"PATCH"} if fits_a_voter(path) else set())
        for method in sorted({"GET", "POST", "PUT", "PATCH", "DELETE", "BREW"} - known):
            answer = admin.send(method, path)
            assert answer.status_code == 405, (method, path)
            assert methods <= set(answer.headers["Allow"].split(", "))
            tried.append(answer.get_json()["errors"])
    assert tried
    assert all(errors == {"code": "METHOD_NOT_ALLOWED"} for errors in tried)
