"""Reading and filtering the roll, on both databases."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask

from config.settings import Settings
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.voters.models import Voter
from tests.conftest import close
from tests.support.api_client import ApiClient
from tests.support.application import app_of, client_of

VOTERS = [
    ("0012", "Ann", "Lee", "ann@x.edu", "Law", 3, True),
    ("12", "Émile", "Zola", "emile@x.edu", "Law", 1, False),
    ("a/b//c", "Ben", "O'Neil", "ben_1@x.edu", "Art & Design", None, True),
    ("~x?y#z", "50% off", "\\slash", "cy@x.edu", "", 2, False),
]


@pytest.fixture
def voters_app(settings: Settings, any_database_url: str) -> Iterator[Flask]:
    app = app_of(replace(settings, database_url=any_database_url))
    Voter.insert_many(VOTERS, fields=list(Voter._meta.sorted_fields)).execute()
    yield app
    close(database.obj)


@pytest.fixture
def reader(voters_app: Flask) -> ApiClient:
    return client_of(voters_app, Scope.READ)


def ids(reader: ApiClient, **query: object) -> list[str]:
    answer = reader.get("/api/voters/", query_string=query)
    assert answer.status_code == 200, answer.get_json()
    return [voter["student_id"] for voter in answer.get_json()]


def test_a_voter_is_shown_with_all_seven_fields(reader: ApiClient) -> None:
    assert reader.get("/api/voters/0012/").get_json() == {
        "student_id": "0012",
        "first_name": "Ann",
        "last_name": "Lee",
        "email": "ann@x.edu",
        "department": "Law",
        "year": 3,
        "is_eligible": True,
    }


@pytest.mark.parametrize("path", ["a/b//c", "a%2Fb%2F%2Fc", "a/b//c/", "~x%3Fy%23z"])
def test_an_id_may_hold_what_an_address_uses_itself(reader: ApiClient, path: str) -> None:
    assert reader.get(f"/api/voters/{path}").status_code == 200


@pytest.mark.parametrize("student_id", ["13", "0012x", "%00", "0012%00", "%FF", "' OR 1=1 --"])
def test_an_unknown_voter_is_not_found(reader: ApiClient, student_id: str) -> None:
    assert reader.get(f"/api/voters/{student_id}/").status_code == 404


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("12", ["0012", "12"]),
        ("LEE", ["0012"]),
        ("émile", ["12"]),
        ("ÉMILE", ["12"]),
        ("e\N{COMBINING ACUTE ACCENT}mile", ["12"]),
        ("o'neil", ["a/b//c"]),
        ("%", ["~x?y#z"]),
        ("_", ["a/b//c"]),
        ("\\", ["~x?y#z"]),
        ("@x.edu", ["0012", "12", "a/b//c", "~x?y#z"]),
        ("", ["0012", "12", "a/b//c", "~x?y#z"]),
        ("law", []),
    ],
)
def test_a_search_finds_parts_of_ids_names_and_addresses(
    reader: ApiClient, text: str, found: list[str]
) -> None:
    assert ids(reader, q=text) == found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"department": "Law"}, ["0012", "12"]),
        ({"department": "law"}, []),
        ({"department": ""}, ["~x?y#z"]),
        ({"year": 2}, ["~x?y#z"]),
        ({"is_eligible": "true"}, ["0012", "a/b//c"]),
        ({"is_eligible": "0"}, ["12", "~x?y#z"]),
        ({"department": "Law", "is_eligible": "false", "q": "zol"}, ["12"]),
        ({"sort": "-student_id"}, ["~x?y#z", "a/b//c", "12", "0012"]),
        ({"sort": "year"}, ["12", "~x?y#z", "0012", "a/b//c"]),
        ({"sort": "-year"}, ["0012", "~x?y#z", "12", "a/b//c"]),
        ({"sort": "department", "department": "Law"}, ["0012", "12"]),
        ({"page_size": 3}, ["0012", "12", "a/b//c"]),
        ({"page_size": 3, "page": 2}, ["~x?y#z"]),
        ({"page_size": 3, "page": 3}, []),
        ({"page": 10**30}, []),
    ],
)
def test_filters_narrow_and_sorts_order(
    reader: ApiClient, query: dict[str, object], found: list[str]
) -> None:
    assert ids(reader, **query) == found


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"yaer": 2}, "yaer"),
        ({"year": "two"}, "year"),
        ({"year": 10**40}, "year"),
        ({"is_eligible": "maybe"}, "is_eligible"),
        ({"sort": "email"}, "sort"),
        ({"q": "a\0b"}, "q"),
        ({"page": 0}, "page"),
        ({"page_size": 1001}, "page_size"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(
    reader: ApiClient, query: dict[str, object], parameter: str
) -> None:
    answer = reader.get("/api/voters/", query_string=query)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]["query"]) == [parameter]


def test_the_header_gives_the_pages(reader: ApiClient) -> None:
    answer = reader.get("/api/voters/?page_size=3")
    pages = json.loads(answer.headers["X-Pagination"])
    assert (pages["total"], pages["total_pages"], pages["next_page"]) == (4, 2, 2)
