"""The time limits for PostgreSQL, with a real server."""

import gc
import time
from dataclasses import replace

import psycopg
import pytest
from peewee import OperationalError

from api.app import create_app
from api.commands.main import usable_database
from config.settings import Settings
from shared.database.connection import database, open_database
from shared.database.schema import migrate
from shared.database.sql import stream
from shared.voters.models import Voter
from tests.conftest import close, opened
from tests.support.running import wait_for

pytestmark = pytest.mark.service


def shown(name: str) -> str:
    return str(database.execute_sql(f"SHOW {name}").fetchone()[0])


def test_an_import_has_no_statement_limit_but_an_idle_limit(postgresql_url: str) -> None:
    with opened(postgresql_url):
        assert shown("statement_timeout") == "0"
        assert shown("idle_in_transaction_session_timeout") == "1min"
        parameters = database.connection().info.get_parameters()
        assert parameters["connect_timeout"] == "5"
        assert parameters["tcp_user_timeout"] == "25000"


def test_what_the_url_says_wins(postgresql_url: str) -> None:
    url = (
        f"{postgresql_url}?connect_timeout=7&application_name=mine"
        "&options=-c%20idle_in_transaction_session_timeout%3D7s"
    )
    with opened(url):
        assert shown("idle_in_transaction_session_timeout") == "7s"
        assert shown("application_name") == "mine"
        assert database.connection().info.get_parameters()["connect_timeout"] == "7"


@pytest.mark.parametrize("pool_size", [0, 2])
def test_a_statement_that_takes_too_long_is_a_database_outage(
    postgresql_url: str, pool_size: int
) -> None:
    used = open_database(postgresql_url, pool_size=pool_size, answer_seconds=0.3)
    try:
        asked_at = time.monotonic()
        with pytest.raises(OperationalError):
            database.execute_sql("SELECT pg_sleep(20)")
        assert time.monotonic() - asked_at < 10
        assert database.execute_sql("SELECT 1").fetchone() == (1,)
    finally:
        close(used)


@pytest.mark.parametrize("pool_size", [0, 2])
def test_a_silent_server_is_given_up_and_its_connection_closed(
    postgresql_url: str, pool_size: int
) -> None:
    # The URL sets the server's own limit, which would otherwise end the statement first.
    url = f"{postgresql_url}?options=-c%20statement_timeout%3D60s"
    used = open_database(url, pool_size=pool_size, answer_seconds=0.1)
    try:
        asked_at = time.monotonic()
        connection = database.connection()
        with pytest.raises(OperationalError, match="does not answer"):
            database.execute_sql("SELECT pg_sleep(20)")
        assert time.monotonic() - asked_at < 10
        assert connection.closed
        database.close()
        assert database.execute_sql("SELECT 1").fetchone() == (1,)
    finally:
        close(used)


def test_a_session_that_ends_in_a_stream_is_a_database_outage(postgresql_url: str) -> None:
    with opened(postgresql_url), psycopg.connect(postgresql_url, autocommit=True) as other:
        migrate()
        Voter.insert_many(
            {"student_id": f"{number:04}", "email": "x@x.edu"} for number in range(3)
        ).execute()
        rows = stream(Voter.select(Voter.student_id).order_by(Voter.student_id))
        assert next(rows) == ("0000",)
        pid = database.connection().info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        with pytest.raises(OperationalError):
            list(rows)


def test_a_session_that_the_server_ends_is_no_silence(postgresql_url: str) -> None:
    used = open_database(postgresql_url, answer_seconds=20)
    try:
        with pytest.raises(OperationalError) as raised:
            database.execute_sql("SELECT pg_terminate_backend(pg_backend_pid())")
        assert "does not answer" not in str(raised.value)
    finally:
        close(used)


def test_a_command_waits_as_long_as_it_takes(settings: Settings, postgresql_url: str) -> None:
    app = create_app(replace(settings, database_url=postgresql_url))
    assert shown("statement_timeout") == "10s"
    with app.app_context(), usable_database(is_migrated=False):
        assert shown("statement_timeout") == "0"
        assert database.connection().answer_seconds is None


def is_connected(url: str, backend: int) -> bool:
    with psycopg.connect(url) as connection:
        question = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
        return connection.execute(question, [backend]).fetchone() is not None


def test_a_transaction_ended_by_the_server_is_a_database_outage(postgresql_url: str) -> None:
    url = f"{postgresql_url}?options=-c%20idle_in_transaction_session_timeout%3D100"
    with opened(url):
        with pytest.raises(OperationalError), database.atomic():
            [[backend]] = database.execute_sql("SELECT pg_backend_pid()")
            wait_for(lambda: not is_connected(postgresql_url, backend), "the session goes on")
            database.execute_sql("SELECT 1")
        database.close()
        assert database.execute_sql("SELECT 1").fetchone() == (1,)


def test_rows_that_are_not_all_read_leave_no_open_cursor(fresh_postgresql_url: str) -> None:
    with opened(fresh_postgresql_url):
        migrate()
        Voter.insert_many(
            [(str(number), f"{number}@x.edu") for number in range(300)],
            fields=[Voter.student_id, Voter.email],
        ).execute()
        gc.disable()
        try:
            with database.atomic():
                rows = stream(Voter.select(Voter.student_id))
                assert next(rows)
                assert open_cursors() == 1
                del rows
                assert open_cursors() == 0
        finally:
            gc.enable()


def open_cursors() -> int:
    return int(database.execute_sql("SELECT COUNT(*) FROM pg_cursors").fetchone()[0])
