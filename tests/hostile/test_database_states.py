"""A database that answers but cannot be used: read-only, not migrated, without rights."""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from flask import Flask
from psycopg import sql

from api.app import create_app
from config.settings import Settings
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.connection import database
from shared.database.outages import OUTAGES, is_disk_full, is_read_only
from shared.database.schema import migrate
from shared.importing.attempt import perform
from shared.jobs import jobs
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job
from shared.roll_file.limits import Limits
from shared.storage.choice import open_store
from tests.conftest import close, opened
from tests.support.api_client import ROLL, ApiClient


def administer(url: str, statement: str) -> None:
    """Change the database of the URL, and end all sessions, so new ones see the change."""
    name = urlsplit(url).path.removeprefix("/")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@contextmanager
def serve(settings: Settings, url: str) -> Iterator[Flask]:
    app = create_app(replace(settings, database_url=url))
    try:
        yield app
    finally:
        close(database.obj)


@pytest.fixture
def url_and_token(fresh_postgresql_url: str) -> tuple[str, str]:
    """The URL of a migrated database, and a token."""
    with opened(fresh_postgresql_url):
        migrate()
        return fresh_postgresql_url, create_token("test", [Scope.ADMIN])


def defects(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno > logging.WARNING]


@pytest.mark.service
def test_a_read_only_postgresql_is_read_and_not_written(
    settings: Settings, url_and_token: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    url, token = url_and_token
    administer(url, "ALTER DATABASE {} SET default_transaction_read_only = on")
    with serve(settings, url) as app:
        client = ApiClient(app, token)
        assert client.get("/api/voters/").status_code == 200
        assert client.get("/api/jobs/").status_code == 200
        assert client.upload(ROLL).status_code == 503
        assert client.get("/api/voters/export.csv").status_code == 503
        assert ApiClient(app, "svs_unknown").get("/api/voters/").status_code == 401
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.get_json()["database"]) == (503, "read-only")
        administer(url, "ALTER DATABASE {} RESET default_transaction_read_only")
        with client.get("/api/voters/export.csv") as export:
            assert export.status_code == 200
    assert defects(caplog) == []


@pytest.mark.service
def test_a_database_that_is_not_migrated_is_an_outage(
    settings: Settings, fresh_postgresql_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with serve(settings, fresh_postgresql_url) as app:
        client = ApiClient(app, "svs_x")
        answers = [client.get("/api/voters/"), client.upload(ROLL)]
        assert [answer.status_code for answer in answers] == [503, 503]
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.get_json()["database"]) == (503, "not migrated")
    assert defects(caplog) == []


@pytest.fixture
def powerless(url_and_token: tuple[str, str]) -> Iterator[tuple[str, str]]:
    """The URL of a role without rights on the tables, and a token."""
    url, token = url_and_token
    role = f"powerless_{uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        try:
            parts = urlsplit(url)
            netloc = f"{role}@{parts.netloc.rpartition('@')[2]}"
            yield parts._replace(netloc=netloc).geturl(), token
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))


@pytest.mark.service
def test_a_role_without_rights_is_an_outage(
    settings: Settings, powerless: tuple[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    url, token = powerless
    with serve(settings, url) as app:
        client = ApiClient(app, token)
        assert client.get("/api/voters/").status_code == 503
        ready = client.get("/health/ready")
        assert (ready.status_code, ready.get_json()["database"]) == (503, "unreachable")
    assert defects(caplog) == []
    assert "InsufficientPrivilege" in str([vars(record) for record in caplog.records])


FILE = StoredFile(key="0" * 32, name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")


@pytest.mark.service
def test_an_attempt_on_a_read_only_database_raises_an_outage(
    url_and_token: tuple[str, str],
) -> None:
    url, _ = url_and_token
    with opened(url):
        claim = jobs.create_started(
            FILE, uploaded_by="tests", dry_run=False, worker="w", lease_seconds=30
        )
    administer(url, "ALTER DATABASE {} SET default_transaction_read_only = on")
    with opened(url), pytest.raises(OUTAGES) as raised:
        perform(claim, store=open_store("database:"), limits=Limits(10), max_attempts=3)
    assert is_read_only(raised.value)


def test_the_states_of_sqlite_are_outages(sqlite_url: str) -> None:
    with opened(sqlite_url):
        with pytest.raises(OUTAGES, match="no such table"):
            Job.select().count()
        database.execute_sql("PRAGMA query_only = 1")
        with pytest.raises(OUTAGES) as raised:
            migrate()
        assert is_read_only(raised.value)


def test_a_file_that_is_not_a_database_is_an_outage(settings: Settings) -> None:
    path = settings.database_url.removeprefix("sqlite:///")
    with open(path, "wb") as file:  # noqa: PTH123
        file.write(b"This is a letter, and not a database at all. " * 100)
    with serve(settings, settings.database_url) as app:
        assert ApiClient(app, "svs_x").get("/api/voters/").status_code == 503
        assert ApiClient(app, "").get("/health/ready").get_json()["database"] == "unreachable"


def test_a_read_only_sqlite_is_read_and_not_written(
    settings: Settings, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = create_token("test", [Scope.ADMIN])
    database.close()
    database.obj._pragmas = [*database.obj._pragmas, ("query_only", 1)]
    client = ApiClient(app, token)
    assert client.get("/api/voters/").status_code == 200
    assert client.upload(ROLL).status_code == 503
    ready = client.get("/health/ready")
    assert (ready.status_code, ready.get_json()["database"]) == (503, "read-only")


@pytest.mark.parametrize(
    ("error", "is_full"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), True),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
        (FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"), True),
        (FileNotFoundError(errno.ENOENT, "No such file or directory"), False),
        (psycopg.errors.DiskFull("could not extend file"), True),
        (ValueError("No space left on device"), False),
    ],
)
def test_a_full_disk_is_distinguished_from_other_faults(error: Exception, is_full: bool) -> None:
    assert is_disk_full(error) is is_full
