"""Whatever is sent, the API answers as its OpenAPI document says, and never with its own fault.

Schemathesis makes requests out of the document, good ones and bad ones, and holds each answer to
it; what no document could make (methods, headers, bodies of any kind) Hypothesis makes.
"""

import os
import re
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import schemathesis
from api_client import ROLL, ApiClient
from application import client_of
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.core.result import Ok
from werkzeug.wsgi import ClosingIterator

from api.contract import resolve
from shared.credentials import Scope
from shared.database import database
from shared.jobs import attempts
from shared.roll.errors import RowCode, RowError
from shared.roll.report import Report
from shared.voters.models import Voter

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# `make fuzz` asks for more, of each operation in each mode.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "12"))
RAW_EXAMPLES = 25 * EXAMPLES
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
)
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Expect",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
    "X-Forwarded-For",
    "X-HTTP-Method-Override",
)
CONTENT_TYPES = (
    "application/json",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "text/csv; charset=klingon",
)
UNHURRIED = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))


@pytest.fixture
def admin(app: Flask) -> ApiClient:
    """An admin of a service with a voter, and a finished job that has a fault."""
    client = client_of(app, Scope.ADMIN)
    Voter.create(student_id="0012345", email="ann@x.edu", year=2)
    return client


@pytest.fixture(autouse=True)
def answers_are_closed(app: Flask) -> None:
    """As every server does; Schemathesis leaves it to the garbage collector."""
    answering = app.wsgi_app

    def read_and_close(environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        with closing(ClosingIterator(answering(environ, start_response))) as answer:
            return list(answer)

    app.wsgi_app = read_and_close  # type: ignore[method-assign]


@pytest.fixture
def task_id(admin: ApiClient) -> str:
    accepted = admin.upload(ROLL).get_json()["task_id"]
    claim = attempts.claim(accepted, worker="w", lease_seconds=60, max_attempts=1)
    assert claim is not None
    fault = RowError(17, "E-mail", RowCode.INVALID_EMAIL, "ann(at)x.edu", "Give one address.")
    with database.atomic():
        attempts.finish(claim, Report(rows_read=1, rejected=1).to_dict(), [fault])
    database.close()
    return str(accepted)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_operation_keeps_to_its_document(
    app: Flask, admin: ApiClient, task_id: str, mode: GenerationMode
) -> None:
    known = {"task_id": task_id, "student_id": "0012345"}
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", app)
    # Every request is sent with the token, so that it gets as far as it can.
    schema.config.generation.update(with_security_parameters=False)
    held = [getattr(schemathesis.checks, name) for name in CHECKS]
    tried = 0
    for result in schema.get_all_operations():
        assert isinstance(result, Ok)
        operation = result.ok()
        names = re.findall(r"\{(\w+)\}", operation.path)
        for paths in [None, {name: known[name] for name in names}] if names else [None]:
            strategy = operation.as_strategy(mode, path_parameters=paths)

            @settings(UNHURRIED, max_examples=EXAMPLES)
            @given(strategy)
            def holds(case: Any) -> None:
                answer = case.call(headers=admin.headers)
                case.validate_response(answer, checks=held, headers=admin.headers)

            # Without any parameter there is no bad request to be made.
            with suppress(Unsatisfiable):
                holds()
                tried += 1
    assert tried > 5


def test_no_request_whatever_meets_a_defect_or_an_error_without_shape(
    app: Flask, admin: ApiClient, task_id: str
) -> None:
    document = ApiClient(app, "").get("/api/openapi.json").get_json()
    shape = set(resolve(document, {"$ref": "#/components/schemas/Error"})["properties"])
    paths = [
        path.replace("{task_id}", task_id).replace("{student_id}", "0012345")
        for path in document["paths"]
    ]

    @settings(UNHURRIED, max_examples=RAW_EXAMPLES)
    @given(
        method=st.sampled_from(METHODS),
        path=st.sampled_from(paths) | st.text(max_size=30).map(lambda text: f"/api/{quote(text)}"),
        query=st.dictionaries(
            st.sampled_from(["page", "page_size", "q", "sort", "year", "wait", "dry_run", "x"])
            | st.text(max_size=5),
            st.text(max_size=10) | st.integers().map(str),
            max_size=3,
        ),
        headers=st.dictionaries(
            st.sampled_from(HEADERS), header_text | st.sampled_from(CONTENT_TYPES), max_size=4
        ),
        body=st.binary(max_size=200) | st.just(b'{"a": NaN}') | st.just(b"--x\r\n\r\n--x--"),
    )
    def answers(
        method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> None:
        with admin.send(method, path, query_string=query, headers=headers, data=body) as answer:
            assert answer.status_code < 500
            if answer.status_code >= 400 and method != "HEAD":
                shown = answer.get_json()
                assert set(shown) == shape
                assert shown["code"] == answer.status_code
                assert re.fullmatch("[A-Z_]+", shown["errors"]["code"])

    answers()
