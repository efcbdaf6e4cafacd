"""Reading the roll by cursor and by numbered pages, on both databases."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from peewee import chunked

from config.settings import Settings
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.voters.models import Voter
from shared.voters.queries import DEEP_ROWS, SORTS
from shared.voters.roll import note_roll_changed
from tests.conftest import close
from tests.support.api_client import ApiClient
from tests.support.application import app_of, client_of

FIELDS = list(Voter._meta.sorted_fields)
NAMES = ("Lee", "", "Zola", "lee", "Émile", "O'Neil")
COUNT = 23


@pytest.fixture
def voters_app(settings: Settings, any_database_url: str) -> Iterator[Flask]:
    app = app_of(replace(settings, database_url=any_database_url))
    Voter.insert_many(map(voter, range(COUNT)), FIELDS).execute()
    yield app
    close(database.obj)


@pytest.fixture
def reader(voters_app: Flask) -> ApiClient:
    return client_of(voters_app, Scope.READ)


def voter(number: int) -> tuple[Any, ...]:
    """A voter. Many share a name, a department or a year, or have none."""
    name, year = NAMES[number % len(NAMES)], (None, 1, 2, 3)[number % 4]
    return (f"{number * 7 % COUNT:05}/x", "Ann", name, "a@x.edu", f"D{number % 3}", year, True)


def pagination_of(answer: Any) -> dict[str, Any]:
    pages: dict[str, Any] = json.loads(answer.headers["X-Pagination"])
    return pages


def ids(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.get_json()
    return [voter["student_id"] for voter in answer.get_json()]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("query", ["", "q=ann&", "department=D1&", "year=2&"])
def test_cursors_and_numbered_pages_lead_along_the_same_order(
    reader: ApiClient, sort: str, query: str
) -> None:
    whole = ids(reader.get(f"/api/voters/?{query}sort={sort}&page_size=1000"))
    assert len(whole) == len(set(whole)) > 4
    by_cursor, link = [], f"/api/voters/?{query}sort={sort}&page_size=4&after="
    while link:
        answer = reader.get(link)
        by_cursor += ids(answer)
        assert set(pagination_of(answer)) <= {"next"}
        link = answer.headers.get("Link", "").removesuffix('>; rel="next"').removeprefix("<")
    assert by_cursor == whole

    numbered: list[str] = []
    for page in range(1, 8):
        numbered += ids(reader.get(f"/api/voters/?{query}sort={sort}&page_size=4&page={page}"))
    assert numbered == whole


def test_a_numbered_page_gives_the_cursor_of_the_next(reader: ApiClient) -> None:
    answer = reader.get("/api/voters/?page_size=20")
    pages = pagination_of(answer)
    assert (pages["total"], pages["total_pages"], pages["next_page"]) == (COUNT, 2, 2)
    rest = reader.get(f"/api/voters/?page_size=20&after={pages['next']}")
    assert (len(ids(rest)), pagination_of(rest)) == (3, {})
    last = reader.get("/api/voters/?page_size=20&page=2")
    assert "next" not in pagination_of(last)
    assert "Link" not in last.headers


def test_a_voter_who_changes_meanwhile_moves_no_other(reader: ApiClient) -> None:
    first = reader.get("/api/voters/?sort=last_name&page_size=5&after=")
    whole = ids(reader.get("/api/voters/?sort=last_name"))
    Voter.update(last_name="~").where(Voter.student_id == whole[4]).execute()
    second = reader.get(
        f"/api/voters/?sort=last_name&page_size=5&after={pagination_of(first)['next']}"
    )
    assert ids(second) == whole[5:10]


def cursor(*content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("sort", "after"),
    [
        ("student_id", "nonsense"),
        ("student_id", "é"),
        ("student_id", "A"),
        ("student_id", "x" * 2001),
        ("student_id", cursor("year", 1, "00001/x")),
        ("student_id", cursor("student_id", 1, "00001/x")),
        ("student_id", cursor("student_id", None, "00001/x")),
        ("student_id", cursor("student_id", "1")),
        ("student_id", cursor("student_id", "a\0b", "1")),
        ("student_id", cursor("student_id", "\ud800", "1")),
        ("last_name", cursor("last_name", "Lee", "\udfff")),
        ("last_name", cursor("last_name", ["Lee"], "1")),
        ("year", cursor("year", "1", "1")),
        ("year", cursor("year", True, "1")),
        ("-year", cursor("-year", 10**30, "1")),
        ("year", base64.urlsafe_b64encode(b"[" * 1400).decode()),
        ("year", base64.urlsafe_b64encode(b"1").decode()),
    ],
)
def test_what_is_no_cursor_of_this_order_is_refused(
    reader: ApiClient, sort: str, after: str
) -> None:
    answer = reader.get(f"/api/voters/?sort={sort}&after={quote(after)}")
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]["query"]) == ["after"]


def test_a_page_and_a_cursor_exclude_each_other(reader: ApiClient) -> None:
    assert reader.get("/api/voters/?page=2&after=").status_code == 422


def test_a_total_is_that_of_the_roll_after_each_counted_change(reader: ApiClient) -> None:
    note_roll_changed()
    assert pagination_of(reader.get("/api/voters/?department=D1"))["total"] == 8
    Voter.update(department="D2").where(Voter.department == "D1").execute()
    note_roll_changed()
    assert pagination_of(reader.get("/api/voters/?department=D1"))["total"] == 0
    assert pagination_of(reader.get("/api/voters/?department=D2"))["total"] == 15


@pytest.mark.parametrize("sort", ["student_id", "-last_name", "department", "year"])
def test_a_deep_page_follows_the_same_order(reader: ApiClient, sort: str) -> None:
    more = [
        (f"S{number:06}", "Ann", f"L{number % 13}", "a@x.edu", "D", number % 5 or None, True)
        for number in range(DEEP_ROWS + 100)
    ]
    for batch in chunked(more, 4_000):
        Voter.insert_many(batch, FIELDS).execute()
    page = DEEP_ROWS // 50
    before = reader.get(f"/api/voters/?sort={sort}&page_size=50&page={page}")
    deep = reader.get(f"/api/voters/?sort={sort}&page_size=50&page={page + 1}")
    after = reader.get(
        f"/api/voters/?sort={sort}&page_size=50&after={pagination_of(before)['next']}"
    )
    assert ids(deep) == ids(after)
    assert len(ids(deep)) == 50


@pytest.mark.parametrize(
    ("q", "count"),
    [("ann lee", 8), ("Ann  Lee", 0), ("ANN ÉMILE", 4), ("00007/X", 1), ("0000", 10), ("7/", 2)],
)
def test_a_search_finds_prefixes_infixes_and_whole_names(
    reader: ApiClient, q: str, count: int
) -> None:
    found = reader.get("/api/voters/", query_string={"q": q})
    assert pagination_of(found)["total"] == count
