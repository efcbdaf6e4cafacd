"""A request, its job and their log lines have the same request id."""

import json
import logging
import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from flask import Flask

from config.log_context import log_fields
from config.logging import JsonFormatter
from shared.jobs import jobs
from tests.support.api_client import ROLL, ApiClient

PROXYS = "0d5c7a3e-94f1-4c1b-8f6e-2b1d9c3a7e55"
MADE = re.compile(r"[0-9a-f]{32}")


def test_the_request_id_of_a_proxy_is_used_and_returned(client: ApiClient) -> None:
    answer = client.get("/health/live", headers={"X-Request-ID": PROXYS})
    assert answer.headers["X-Request-ID"] == PROXYS


@pytest.mark.parametrize(
    "claimed",
    ["", "2041", "ann@students.example.edu-and-more", "a" * 65, "a" * 30 + " b", "a" * 30 + '"}'],
)
def test_what_could_be_anything_but_an_id_gets_a_new_one(client: ApiClient, claimed: str) -> None:
    answer = client.get("/nothing", headers={"X-Request-ID": claimed})
    assert MADE.fullmatch(answer.headers["X-Request-ID"])


def test_every_request_has_its_own_also_one_that_is_refused(app: Flask) -> None:
    stranger = ApiClient(app, "")
    ids = {stranger.get(path).headers["X-Request-ID"] for path in ("/", "/api/voters/", "/admin/")}
    assert len(ids) == 3


class Lines(logging.Handler):
    """A handler that collects the lines as the log of a process has them."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[dict[str, object]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def log_lines() -> Iterator[list[dict[str, object]]]:
    """Yield a list of all log lines of the block."""
    output = Lines()
    root = logging.getLogger()
    level = root.level
    root.addHandler(output)
    root.setLevel(logging.INFO)
    yield output.lines
    root.removeHandler(output)
    root.setLevel(level)


def test_the_id_is_on_the_lines_of_the_request_and_on_its_job(
    client: ApiClient, log_lines: list[dict[str, object]]
) -> None:
    answer = client.upload(ROLL, headers={"X-Request-ID": PROXYS})
    job = jobs.find(UUID(answer.get_json()["task_id"]))
    assert job is not None
    assert job.request_id == PROXYS
    [line] = [line for line in log_lines if line["event"] == "request"]
    assert line["request_id"] == PROXYS
    assert line["bytes"] == len(answer.data)
    assert log_fields() == {}


def test_a_streamed_answer_is_not_buffered_to_log_its_size(
    client: ApiClient, log_lines: list[dict[str, object]]
) -> None:
    with client.get("/api/voters/export.csv") as answer:
        assert answer.is_streamed
        [line] = [line for line in log_lines if line["event"] == "request"]
        assert line["bytes"] is None
