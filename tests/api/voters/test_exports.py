"""Exports, summary and template over HTTP, and their import again, on both databases."""

import csv
import io
import resource
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from openpyxl import load_workbook
from peewee import chunked

from config.settings import Settings
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.importing.attempt import perform
from shared.importing.submission import keep
from shared.jobs import jobs
from shared.jobs.models import Job
from shared.roll_file.limits import Limits
from shared.roll_file.writing.template import EXAMPLE
from shared.storage.choice import open_store
from shared.voters.models import Voter
from shared.voters.roll import note_roll_changed, roll_version
from tests.conftest import close
from tests.support.api_client import ApiClient
from tests.support.application import app_of, client_of

FIELDS = list(Voter._meta.sorted_fields)
VOTERS = [
    ("!'x", "'=1", "a\rb\nc", "=x@x.edu", "a,\n1,Ann,Lee,ann@x.edu,Law,1,yes", None, False),
    ("0012", "Émile", "=1+1", "-a@x.edu", '="=1"', 3, True),
    ("1-2", "\ufffe_x000D_", "a\u2028b", "+a@x.edu", "Law", 12, True),
    ("12", "", "", "a@x.edu", "", None, False),
    ("1E3", "@SUM(A1)", "-", "a@x.edu", "Law", 3, False),
    ("a/b//c", "Ben", 'O"Neil', "b@x.edu", "Art & <Design>", 1, True),
]


@pytest.fixture
def voters_app(settings: Settings, any_database_url: str) -> Iterator[Flask]:
    app = app_of(replace(settings, database_url=any_database_url))
    Voter.insert_many(VOTERS, FIELDS).execute()
    yield app
    close(database.obj)


@pytest.fixture
def reader(voters_app: Flask) -> ApiClient:
    return client_of(voters_app, Scope.READ, Scope.IMPORT)


def roll() -> list[tuple[object, ...]]:
    return [
        tuple(getattr(voter, field.name) for field in FIELDS)
        for voter in Voter.select().order_by(Voter.student_id)
    ]


def import_file(settings: Settings, content: bytes, name: str) -> Job:
    store = open_store(settings.upload_store)
    file = keep(io.BytesIO(content), name, store=store, max_bytes=1 << 20)
    claim = jobs.create_started(
        file, uploaded_by="tests", dry_run=False, worker="w", lease_seconds=30
    )
    perform(claim, store=store, limits=Limits(1000), max_attempts=1)
    job = jobs.find(claim.job_id)
    assert job is not None
    return job


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_importing_an_export_changes_nothing(
    settings: Settings, reader: ApiClient, kind: str
) -> None:
    content = reader.get(f"/api/voters/export.{kind}").get_data()
    before = roll()
    job = import_file(settings, content, f"roll.{kind}")
    assert job.report["unchanged"] == job.report["rows_read"] == len(VOTERS), job.report
    assert (roll(), roll_version()) == (before, 0)

    Voter.delete().execute()
    job = import_file(settings, content, f"roll.{kind}")
    assert job.report["created"] == len(VOTERS), job.report
    assert roll() == before


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_import_of_an_edited_export_changes_only_the_edits(
    settings: Settings, reader: ApiClient, kind: str
) -> None:
    content = reader.get(f"/api/voters/export.{kind}").get_data()
    if kind == "csv":
        content = content.replace(b"-a@x.edu", b"-b@x.edu")
    else:
        book = load_workbook(io.BytesIO(content))
        book.active.cell(3, 4, "'-b@x.edu")  # type: ignore[union-attr]
        changed = io.BytesIO()
        book.save(changed)
        content = changed.getvalue()
    job = import_file(settings, content, f"roll.{kind}")
    assert (job.report["updated"], job.report["unchanged"]) == (1, len(VOTERS) - 1), job.report
    assert Voter.get_by_id("0012").email == "-b@x.edu"


def test_a_rejected_row_of_an_export_comes_back_as_it_was(
    settings: Settings, reader: ApiClient
) -> None:
    content = reader.get("/api/voters/export.csv").get_data().replace(b",Law,3,", b",Law,13,")
    job = import_file(settings, content, "roll.csv")
    assert job.report["rejected"] == 1
    assert job.rejects_key
    with open_store(settings.upload_store).open(job.rejects_key) as file:
        corrected = file.read().replace(b",Law,13,", b",Law,4,")
    job = import_file(settings, corrected, "corrected.csv")
    assert job.report["updated"] == 1
    assert roll()[4] == ("1E3", "@SUM(A1)", "-", "a@x.edu", "Law", 4, False)


def test_a_download_has_a_name_and_a_type(reader: ApiClient) -> None:
    for path, kind in (
        ("/api/voters/export.csv", "text/csv"),
        ("/api/voters/export.xlsx", "application/vnd.openxmlformats-officedocument"),
        ("/api/template.csv", "text/csv"),
        ("/api/template.xlsx", "application/vnd.openxmlformats-officedocument"),
    ):
        with reader.get(path) as answer:
            assert answer.headers["Content-Type"].startswith(kind)
            disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; filename=voter")
        assert disposition.endswith(path[-4:])
        head = reader.send("HEAD", path)
        assert (head.status_code, head.get_data()) == (200, b"")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"department": "Law"}, ["1-2", "1E3"]),
        ({"q": "émile"}, ["0012"]),
        ({"is_eligible": "true", "year": 3}, ["0012"]),
        ({"student_id": "a/b//c"}, ["a/b//c"]),
        ({"q": "nobody"}, []),
    ],
)
def test_filters_choose_what_is_exported(
    reader: ApiClient, query: dict[str, object], found: list[str]
) -> None:
    text = reader.get("/api/voters/export.csv", query_string=query).get_data().decode("utf-8-sig")
    ids = [row["student_id"].lstrip("'") for row in csv.DictReader(io.StringIO(text, newline=""))]
    assert ids == found


@pytest.mark.parametrize("query", ["page=2", "sort=year", "after=", "year=0", "q=%00"])
def test_a_parameter_that_an_export_does_not_know_is_refused(reader: ApiClient, query: str) -> None:
    for kind in ("csv", "xlsx"):
        assert reader.get(f"/api/voters/export.{kind}?{query}").status_code == 422


def test_an_export_needs_the_scope_to_read(voters_app: Flask) -> None:
    client = client_of(voters_app, Scope.IMPORT)
    for path in ("export.csv", "export.xlsx", "summary/"):
        assert client.get(f"/api/voters/{path}").status_code == 403


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_slowly_read_export_shows_one_moment_and_blocks_no_one(
    reader: ApiClient, kind: str
) -> None:
    count = 20_000
    rows = [(f"S{number:06}", "a", "b", "c@x.edu", "Old", 1, True) for number in range(count)]
    for batch in chunked(rows, 4_000):
        Voter.insert_many(batch, FIELDS).execute()
    answer = reader.get(f"/api/voters/export.{kind}", buffered=False)
    blocks = answer.iter_encoded()
    content = [next(blocks)]

    changed = threading.Thread(target=_rename_departments)
    changed.start()
    changed.join(timeout=10)
    assert not changed.is_alive()
    assert Voter.select().where(Voter.department == "New").count() == count
    if database.obj.__class__.__name__ != "SqliteDatabase":
        in_transaction = database.execute_sql(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_xmin IS NOT NULL AND pid <> pg_backend_pid()"
        ).fetchone()[0]
        assert in_transaction == 0
    content += list(blocks)
    answer.close()
    whole = b"".join(content)
    if kind == "xlsx":
        sheet = load_workbook(io.BytesIO(whole), read_only=True)["Roll"]
        departments = [row[4] for row in sheet.iter_rows(values_only=True)]
    else:
        text = io.StringIO(whole.decode("utf-8-sig"), newline="")
        departments = [row[4] for row in csv.reader(text)]
    assert (departments.count("Old"), departments.count("New")) == (count, 0)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_an_export_for_which_the_disk_has_no_room_is_refused(reader: ApiClient, kind: str) -> None:
    rows = [(f"S{number:06}", "a", "b", "c@x.edu", "Law", 1, True) for number in range(4_000)]
    Voter.insert_many(rows, FIELDS).execute()
    database.close()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        answer = reader.get(f"/api/voters/export.{kind}")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert answer.status_code == 507
    assert "no room" in answer.get_json()["message"]


def _rename_departments() -> None:
    with database.connection_context(), database.atomic():
        Voter.update(department="New").where(Voter.department == "Old").execute()


def test_the_summary_counts_by_department_and_year(reader: ApiClient) -> None:
    summary = reader.get("/api/voters/summary/").get_json()
    assert (summary["voters"], summary["eligible"], summary["departments"]) == (6, 3, 5)
    assert summary["by_department"][0] == {"department": "Law", "voters": 2, "eligible": 1}
    assert {"department": "", "voters": 1, "eligible": 0} in summary["by_department"]
    assert summary["by_year"] == [
        {"year": 1, "voters": 1, "eligible": 1},
        {"year": 3, "voters": 2, "eligible": 1},
        {"year": 12, "voters": 1, "eligible": 1},
        {"year": None, "voters": 2, "eligible": 0},
    ]


def test_the_summary_of_an_empty_roll_is_all_zero(reader: ApiClient) -> None:
    Voter.delete().execute()
    assert reader.get("/api/voters/summary/").get_json() == {
        "voters": 0,
        "eligible": 0,
        "departments": 0,
        "by_department": [],
        "by_year": [],
    }


def test_the_summary_follows_each_counted_change_of_the_roll(reader: ApiClient) -> None:
    note_roll_changed()
    assert reader.get("/api/voters/summary/").get_json()["voters"] == 6
    Voter.delete().where(Voter.student_id == "12").execute()
    note_roll_changed()
    assert reader.get("/api/voters/summary/").get_json()["voters"] == 5


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_the_template_is_imported_without_a_fault(
    settings: Settings, reader: ApiClient, kind: str
) -> None:
    content = reader.get(f"/api/template.{kind}").get_data()
    job = import_file(settings, content, f"template.{kind}")
    report = job.report
    assert (job.state, report["rows_read"], report["created"]) == ("SUCCESS", 1, 1)
    assert (report["errors"], report["warnings"], report["missing_columns"]) == ({}, {}, [])
    assert (report["ignored_columns"], report["missing_fields"]) == ([], {})
    example = Voter.get_by_id(EXAMPLE[0])
    assert (example.department, example.is_eligible) == ("Physics", False)


def test_the_template_explains_every_column(reader: ApiClient) -> None:
    text = reader.get("/api/template.csv").get_data().decode("utf-8-sig")
    book = load_workbook(io.BytesIO(reader.get("/api/template.xlsx").get_data()))
    explained = [row[0].value for row in book["Columns"].iter_rows(min_row=2, max_row=8)]
    assert explained == [field.name for field in FIELDS]
    for name in explained:
        assert f"{name}: " in text
    assert book["Roll"]["A500"].number_format == "@"
