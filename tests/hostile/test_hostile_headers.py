"""Long headers take no more time than short ones."""

import time

import pytest
from flask import Flask

from api.rest.header_limits import MAX_CHARS, MAX_LIST_CHARS
from tests.support.api_client import ApiClient

OPENAPI = "/api/openapi.json"


def header(name: str) -> str:
    """The name of the header as a client writes it."""
    return name.removeprefix("HTTP_").replace("_", "-").title()


@pytest.mark.parametrize("name", MAX_LIST_CHARS)
def test_a_long_list_is_refused_before_it_is_read(app: Flask, name: str) -> None:
    stranger = ApiClient(app, "")
    for chars, is_refused in ((MAX_LIST_CHARS[name], False), (MAX_LIST_CHARS[name] + 1, True)):
        text = ("a," * chars)[:chars]
        answer = stranger.get(OPENAPI, headers={header(name): text})
        assert (answer.status_code == 431) is is_refused
    assert answer.get_json()["errors"] == {"code": "HEADERS_TOO_LARGE"}


def test_a_header_that_is_repeated_counts_as_one(app: Flask) -> None:
    stranger = ApiClient(app, "")
    text = "x" * (MAX_CHARS + 1)
    assert stranger.get("/health/live", headers={"X-Anything": text}).status_code == 431
    assert stranger.get("/health/live", headers={"X-Anything": text[1:]}).status_code == 200


def test_four_long_accept_headers_cost_little(app: Flask) -> None:
    stranger = ApiClient(app, "")

    def cost(text: str) -> float:
        started = time.process_time()
        for _ in range(20):
            stranger.get(OPENAPI, headers={"Accept": text})
        return time.process_time() - started

    cost("*/*")
    # Without the limit it takes a hundred times as long.
    assert cost(",".join(["a," * 4000] * 4)) < 10 * cost("*/*")


def test_what_a_browser_sends_is_accepted(app: Flask) -> None:
    accept = (
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
        "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
    )
    assert ApiClient(app, "").get("/api/docs/", headers={"Accept": accept}).status_code == 200
