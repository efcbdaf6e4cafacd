"""One voter: conditional reading, correction with a reason, and history."""

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from config.settings import Settings
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.database.sql import clock
from shared.voters.models import Voter, VoterHistory
from shared.voters.roll import roll_version
from tests.conftest import close
from tests.support.api_client import ApiClient
from tests.support.application import app_of, client_of

ANN = ("0012", "Ann", "Lee", "ann@x.edu", "Law", 3, True)
FIELDS = ("student_id", "first_name", "last_name", "email", "department", "year", "is_eligible")
REASON = "The registrar's letter"


@pytest.fixture
def voters_app(settings: Settings, any_database_url: str) -> Iterator[Flask]:
    app = app_of(replace(settings, database_url=any_database_url))
    Voter.insert_many([ANN, ("a/b//c", "", "", "b@x.edu", "", None, False)], FIELDS).execute()
    yield app
    close(database.obj)


@pytest.fixture
def admin(voters_app: Flask) -> ApiClient:
    return client_of(voters_app, Scope.ADMIN)


def patch(
    client: ApiClient, student_id: str = "0012", /, etag: str = "", **body: Any
) -> TestResponse:
    path = f"/api/voters/{student_id}/"
    etag = etag or client.get(path).headers["ETag"]
    return client.send("PATCH", path, headers={"If-Match": etag}, json=body)


def entry(student_id: str = "0012") -> tuple[Any, ...]:
    voter = Voter.get_by_id(student_id)
    return tuple(getattr(voter, name) for name in FIELDS)


def test_an_entry_that_has_not_changed_is_not_sent_again(admin: ApiClient) -> None:
    seen = admin.get("/api/voters/0012/")
    again = admin.get("/api/voters/0012/", headers={"If-None-Match": seen.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")
    assert again.headers["ETag"] == seen.headers["ETag"]
    patch(admin, year=4, reason=REASON)
    changed = admin.get("/api/voters/0012/", headers={"If-None-Match": seen.headers["ETag"]})
    assert (changed.status_code, changed.get_json()["year"]) == (200, 4)


@pytest.mark.parametrize(
    ("body", "changed"),
    [
        ({"year": 4}, {"year": 4}),
        ({"year": "04"}, {"year": 4}),
        ({"year": 4.0}, {"year": 4}),
        ({"is_eligible": "No"}, {"is_eligible": False}),
        ({"is_eligible": False}, {"is_eligible": False}),
        ({"is_eligible": 0}, {"is_eligible": False}),
        ({"first_name": " E\u0301mile\u00a0"}, {"first_name": "Émile"}),
        ({"last_name": '="007"'}, {"last_name": "007"}),
        ({"department": 5}, {"department": "5"}),
        ({"email": " b@x.edu "}, {"email": "b@x.edu"}),
        ({"year": 4, "department": " "}, {"year": 4}),
        ({"department": None}, {"department": ""}),
        ({"first_name": None, "last_name": None, "year": None}, None),
    ],
)
def test_a_value_means_what_the_same_cell_of_a_file_means(
    admin: ApiClient, body: dict[str, Any], changed: dict[str, Any] | None
) -> None:
    changed = changed or {"first_name": "", "last_name": "", "year": None}
    answer = patch(admin, reason=REASON, **body)
    assert answer.status_code == 200, answer.get_json()
    wanted = {**dict(zip(FIELDS, ANN, strict=True)), **changed}
    assert answer.get_json() == wanted
    assert entry() == tuple(wanted.values())
    assert answer.headers["ETag"] == admin.get("/api/voters/0012/").headers["ETag"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"year": 13}, "year"),
        ({"year": True}, "year"),
        ({"year": [1]}, "year"),
        ({"email": "nobody"}, "email"),
        ({"email": None}, "email"),
        ({"is_eligible": None}, "is_eligible"),
        ({"is_eligible": "perhaps"}, "is_eligible"),
        ({"first_name": "a\u0000b"}, "first_name"),
        ({"last_name": "x" * 151}, "last_name"),
        ({"last_name": "#N/A"}, "last_name"),
        ({"department": {}}, "department"),
        ({"department": float("nan")}, "department"),
        ({"student_id": "13", "year": 1}, "student_id"),
        ({"role": "admin", "year": 1}, "role"),
        ({}, "_schema"),
        ({"year": "", "department": " ", "email": ""}, "_schema"),
        ({"year": 1, "reason": ""}, "reason"),
        ({"year": 1, "reason": " \u00a0"}, "reason"),
        ({"year": 1, "reason": None}, "reason"),
        ({"year": 1, "reason": "a\u0000b"}, "reason"),
        ({"year": 1, "reason": "x" * 501}, "reason"),
    ],
)
def test_what_no_file_could_say_changes_nothing(
    admin: ApiClient, body: dict[str, Any], named: str
) -> None:
    answer = patch(admin, **{"reason": REASON, **body})
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]["json"]) == [named]
    assert (entry(), VoterHistory.select().count(), roll_version()) == (ANN, 0, 0)


def test_a_reason_is_required(admin: ApiClient) -> None:
    answer = patch(admin, year=4)
    assert list(answer.get_json()["errors"]["json"]) == ["reason"]


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{", b"[]", b"\xff", b'{"year": %s}' % (b"9" * 5000), b"[" * 90_000),
        b'{"first_name": "\\ud800", "reason": "x"}',
        b'{"first_name": "a", "reason": "\\udfff"}',
    ],
)
def test_a_body_that_is_no_object_is_refused(admin: ApiClient, body: bytes) -> None:
    answer = admin.send(
        "PATCH",
        "/api/voters/0012/",
        headers={"If-Match": "*", "Content-Type": "application/json"},
        data=body,
    )
    assert answer.status_code in (400, 422)
    assert answer.get_json()["message"]
    assert entry() == ANN


def test_a_change_needs_the_state_it_is_about(admin: ApiClient) -> None:
    etag = admin.get("/api/voters/0012/").headers["ETag"]
    assert patch(admin, etag=etag, year=4, reason=REASON).status_code == 200
    stale = patch(admin, etag=etag, year=5, reason=REASON)
    assert (stale.status_code, entry()[5]) == (412, 4)
    assert "has changed" in stale.get_json()["message"]
    unconditional = admin.send("PATCH", "/api/voters/0012/", json={"year": 5, "reason": REASON})
    assert (unconditional.status_code, entry()[5]) == (428, 4)
    assert "If-Match" in unconditional.get_json()["message"]
    assert VoterHistory.select().count() == 1


def test_of_two_who_change_the_same_state_one_wins(voters_app: Flask, admin: ApiClient) -> None:
    etag = admin.get("/api/voters/0012/").headers["ETag"]
    statuses = []

    def change(year: int) -> None:
        client = ApiClient(voters_app, admin.headers["Authorization"].removeprefix("Bearer "))
        statuses.append(patch(client, etag=etag, year=year, reason=REASON).status_code)

    threads = [threading.Thread(target=change, args=(year,)) for year in (5, 6, 7, 8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200, 412, 412, 412]
    assert (VoterHistory.select().count(), roll_version()) == (1, 1)


def test_nothing_new_leaves_no_trace(admin: ApiClient) -> None:
    answer = patch(admin, year="3", department="Law", reason=REASON)
    assert (answer.status_code, VoterHistory.select().count(), roll_version()) == (200, 0, 0)


def test_a_voter_who_is_not_on_the_roll_is_not_found(admin: ApiClient) -> None:
    for path in ("/api/voters/13/", "/api/voters/%00/"):
        body = {"year": 1, "reason": REASON}
        answer = admin.send("PATCH", path, headers={"If-Match": "*"}, json=body)
        assert answer.status_code == 404
    assert admin.get("/api/voters/13/history/").status_code == 404


@pytest.mark.parametrize("scope", [Scope.READ, Scope.IMPORT])
def test_only_an_admin_corrects(voters_app: Flask, scope: Scope) -> None:
    client = client_of(voters_app, scope)
    body = {"year": 1, "reason": REASON}
    answer = client.send("PATCH", "/api/voters/0012/", headers={"If-Match": "*"}, json=body)
    assert (answer.status_code, entry()) == (403, ANN)


def test_the_history_shows_what_changed_when_by_whom_and_why(admin: ApiClient) -> None:
    job = uuid4()
    before = dict(zip(FIELDS, ANN, strict=True))
    VoterHistory.insert(**before, changed_at=clock(), changed_by="tests", job=job).execute()
    Voter.update(year=None, is_eligible=False).where(Voter.student_id == "0012").execute()
    patch(admin, year=4, department=None, reason=REASON)
    patch(admin, is_eligible="yes", reason="Again")

    history = admin.get("/api/voters/0012/history/").get_json()
    assert [change["changes"] for change in history] == [
        [{"field": "is_eligible", "before": False, "after": True}],
        [
            {"field": "department", "before": "Law", "after": ""},
            {"field": "year", "before": None, "after": 4},
        ],
        [
            {"field": "year", "before": 3, "after": None},
            {"field": "is_eligible", "before": True, "after": False},
        ],
    ]
    assert [change["reason"] for change in history] == ["Again", REASON, ""]
    assert [change["changed_by"] for change in history] == ["test admin", "test admin", "tests"]
    assert [change["job_id"] for change in history] == [None, None, str(job)]
    for change in history:
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", change["changed_at"])


def test_a_page_of_the_history_knows_what_came_after_it(admin: ApiClient) -> None:
    for year in (4, 5, 6):
        patch(admin, year=year, reason=f"to {year}")
    shown = []
    for page in (1, 2, 3):
        answer = admin.get(f"/api/voters/0012/history/?page_size=1&page={page}")
        [change] = answer.get_json()
        [difference] = change["changes"]
        shown.append((difference["before"], difference["after"]))
    assert shown == [(5, 6), (4, 5), (3, 4)]
    assert '"total": 3' in answer.headers["X-Pagination"]
    assert admin.get("/api/voters/0012/history/?page=99").get_json() == []


def test_an_id_with_slashes_is_corrected_and_has_a_history(admin: ApiClient) -> None:
    assert patch(admin, "a/b//c", year=2, reason=REASON).get_json()["year"] == 2
    [change] = admin.get("/api/voters/a/b//c/history/").get_json()
    assert change["reason"] == REASON


@pytest.mark.parametrize("student_id", ["summary", "export.csv", "0012/history"])
def test_an_id_like_a_url_path_is_listed_and_corrected(admin: ApiClient, student_id: str) -> None:
    Voter.create(student_id=student_id, email="c@x.edu")
    [voter] = admin.get("/api/voters/", query_string={"student_id": student_id}).get_json()
    assert voter["email"] == "c@x.edu"
    answer = patch(admin, student_id, etag="*", email="d@x.edu", reason=REASON)
    assert (answer.status_code, answer.get_json()["email"]) == (200, "d@x.edu")


def test_the_document_says_what_a_correction_needs(admin: ApiClient) -> None:
    document = admin.get("/api/openapi.json").get_json()
    correction = document["paths"]["/api/voters/{student_id}/"]["patch"]
    assert {"200", "400", "404", "412", "422", "428"} <= set(correction["responses"])
    assert {"$ref": "#/components/parameters/IF_MATCH"} in correction["parameters"]
    body = document["components"]["schemas"]["VoterChange"]
    assert body["required"] == ["reason"]
    assert body["properties"]["year"]["type"] == ["integer", "null"]
    assert "student_id" not in body["properties"]
