"""Every error has the same structure and a message, and shows no internal details."""

import logging
import re
from dataclasses import replace

import pytest
from flask import Flask

from api.app import create_app
from api.rest.error_codes import OF_STATUS
from api.rest.errors import SENTENCES
from config.settings import Settings
from shared.access.scopes import Scope
from shared.database.connection import database
from tests.conftest import close
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of

NO_DATABASE = "postgresql://postgres@127.0.0.1:1/none"


def check_shape(body: dict[str, object], status: int) -> None:
    assert list(body) == ["code", "status", "message", "errors"]
    assert body["code"] == status
    assert isinstance(body["message"], str)
    assert isinstance(body["errors"], dict)
    assert re.fullmatch("[A-Z_]+", body["errors"]["code"])
    assert body["message"].endswith(".")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "NOT_FOUND"),
        ("GET", "/api/voters/none/", 404, "NOT_FOUND"),
        ("DELETE", "/api/upload/", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/upload/", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/api/upload/", 400, "BAD_REQUEST"),
        ("GET", "/api/voters/?year=x", 422, "INVALID_PARAMETER"),
    ],
)
def test_errors_have_one_shape(
    client: ApiClient, method: str, path: str, status: int, code: str
) -> None:
    answer = client.send(method, path)
    assert answer.status_code == status
    check_shape(answer.get_json(), status)
    assert answer.get_json()["errors"]["code"] == code


@pytest.mark.parametrize(
    ("token", "status", "code"), [("", 401, "UNAUTHORIZED"), (None, 403, "INSUFFICIENT_SCOPE")]
)
def test_a_refused_caller_gets_the_same_shape(
    app: Flask, token: str | None, status: int, code: str
) -> None:
    caller = client_of(app, Scope.READ) if token is None else ApiClient(app, token)
    answer = caller.upload(ROLL)
    check_shape(answer.get_json(), status)
    assert answer.get_json()["errors"] == {"code": code}


def test_every_status_that_is_explained_has_a_code_of_its_own() -> None:
    assert set(SENTENCES) <= set(OF_STATUS)
    # 501 is for methods and encodings that no HTTP server knows. It shares the code of 400.
    own = {status: code for status, code in OF_STATUS.items() if status != 501}
    assert len(set(own.values())) == len(own)


def test_a_wrong_method_is_refused_with_the_right_ones(client: ApiClient) -> None:
    assert "POST" in client.get("/api/upload/").headers["Allow"]


def test_an_internal_error_shows_an_error_id_that_is_in_the_log(
    own_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(student_id: str) -> str:
        raise RuntimeError("the insides")

    own_app.add_url_rule("/broken/<student_id>", view_func=broken)
    answer = client_of(own_app, Scope.ADMIN).get("/broken/4711?q=Lee")
    body = answer.get_json()
    assert answer.status_code == 500
    check_shape(body, 500)
    assert "insides" not in answer.get_data(as_text=True)
    [record] = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert vars(record)["error_id"] == body["errors"]["error_id"]
    assert body["errors"]["error_id"] in body["message"]
    assert record.exc_info
    assert "4711" not in caplog.text


def test_an_unavailable_database_is_answered_with_503(settings: Settings) -> None:
    app = create_app(replace(settings, database_url=NO_DATABASE))
    for answer in (
        ApiClient(app, "svs_x").get("/api/voters/"),
        ApiClient(app, "svs_x").upload(ROLL),
    ):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        check_shape(answer.get_json(), 503)
    close(database.obj)


def test_the_summary_line_holds_the_route_and_nothing_personal(
    client: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client.get("/api/voters/4711/?q=Lee")
    [record] = [record for record in caplog.records if record.name == "api.middleware.request_log"]
    line = vars(record)
    assert (line["method"], line["status"]) == ("GET", 422)
    assert line["route"] == "/api/voters/<path:student_id>/"
    assert "4711" not in str(line)
    assert "Lee" not in str(line)


@pytest.mark.parametrize(
    ("allowed", "host", "status"),
    [
        ((), "any.example", 200),
        (("*",), "any.example", 200),
        (("voters.example",), "voters.example", 200),
        (("voters.example",), "voters.example:8000", 200),
        ((".example",), "voters.example", 200),
        (("voters.example",), "evil.example", 400),
    ],
)
def test_only_allowed_hosts_are_answered(
    app: Flask, settings: Settings, allowed: tuple[str, ...], host: str, status: int
) -> None:
    guarded = create_app(replace(settings, allowed_hosts=allowed))
    answer = ApiClient(guarded, "").get("/health/live", headers={"Host": host})
    assert answer.status_code == status
    if status == 400:
        check_shape(answer.get_json(), status)
        assert answer.get_json()["errors"] == {"code": "UNKNOWN_HOST"}
