"""PostgreSQL behind PgBouncer, and PostgreSQL without a free connection."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from peewee import OperationalError
from psycopg import sql

from api.app import create_app
from config.settings import Settings
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.connection import database
from shared.database.schema import migrate
from tests.conftest import close, opened
from tests.support.api_client import ROLL, ApiClient
from tests.support.job_runs import finished
from tests.support.running import wait_for
from tests.support.services import free_port

pytestmark = pytest.mark.service


@contextmanager
def pooler(program: str, url: str, mode: str, size: int = 3) -> Iterator[str]:
    """Run PgBouncer in this mode, and yield the URL of the database behind it."""
    server = urlsplit(url)
    port = free_port()
    login = f"user={server.username} " + (f"password={server.password}" if server.password else "")
    configuration = f"""
[databases]
* = host={server.hostname} port={server.port or 5432} {login}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
default_pool_size = {size}
"""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        file = Path(folder) / "pgbouncer.ini"
        file.write_text(configuration)
        # PgBouncer refuses to run as root.
        as_user = ["-u", "nobody"] if os.geteuid() == 0 else []
        process = subprocess.Popen(
            [program, "--quiet", *as_user, file],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        there = server._replace(netloc=f"{server.username}@127.0.0.1:{port}").geturl()
        try:
            wait_for(lambda: _answers(there), "pgbouncer did not start")
            yield there
        finally:
            process.terminate()
            process.wait(20)


def _answers(url: str) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=5):
        return True
    return False


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("size", [1, 3])
def test_a_pooler_that_shares_sessions_is_refused(
    fresh_postgresql_url: str, pgbouncer: str, mode: str, size: int
) -> None:
    with (
        pooler(pgbouncer, fresh_postgresql_url, mode, size) as url,
        opened(url),
        pytest.raises(OperationalError, match="shares sessions"),
    ):
        migrate()


def test_requests_and_readiness_name_such_a_pooler_in_the_log(
    fresh_postgresql_url: str,
    pgbouncer: str,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pooler(pgbouncer, fresh_postgresql_url, "transaction") as url:
        app = create_app(replace(settings, database_url=url))
        assert ApiClient(app, "").get("/health/ready").status_code == 503
        close(database.obj)
    assert "SharedSession" in str([vars(record) for record in caplog.records])


@pytest.mark.parametrize("size", [1, 3])
def test_a_pooler_in_session_mode_is_as_good_as_none(
    fresh_postgresql_url: str, pgbouncer: str, settings: Settings, size: int
) -> None:
    with pooler(pgbouncer, fresh_postgresql_url, "session", size) as url:
        with opened(url):
            migrate()
            token = create_token("test", [Scope.READ, Scope.IMPORT])
        app = create_app(replace(settings, database_url=url))
        client = ApiClient(app, token)
        finished(app, client, ROLL)
        # Enough repetitions for a statement to be prepared on the server.
        for _ in range(8):
            assert len(client.get("/api/voters/").get_json()) == 1
        close(database.obj)


@pytest.fixture
def url_of_limited_role(fresh_postgresql_url: str) -> Iterator[str]:
    """The URL of a role that has all rights but may have only one connection."""
    name = f"limited_{uuid4().hex[:12]}"
    role = sql.Identifier(name)
    with psycopg.connect(fresh_postgresql_url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN CONNECTION LIMIT 1").format(role))
        for right in ("pg_read_all_data", "pg_write_all_data"):
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(right), role))
        try:
            parts = urlsplit(fresh_postgresql_url)
            place = parts.netloc.rpartition("@")[2]
            yield parts._replace(netloc=f"{name}@{place}").geturl()
        finally:
            connection.execute(sql.SQL("DROP ROLE {}").format(role))


def test_no_connection_left_is_an_outage_that_passes(
    fresh_postgresql_url: str, url_of_limited_role: str, settings: Settings
) -> None:
    with opened(fresh_postgresql_url):
        migrate()
        token = create_token("test", [Scope.READ, Scope.IMPORT])
    app = create_app(replace(settings, database_url=url_of_limited_role))
    client = ApiClient(app, token)
    with psycopg.connect(url_of_limited_role):
        answers = [client.get("/api/voters/"), client.upload(ROLL), client.get("/health/ready")]
        assert [answer.status_code for answer in answers] == [503, 503, 503]
        assert answers[0].headers["Retry-After"]
    wait_for(lambda: client.get("/api/voters/").status_code == 200, "no recovery")
    close(database.obj)
