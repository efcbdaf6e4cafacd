"""PostgreSQL becomes read-only while the service runs, as after a failover to a standby."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from tests.support.running import (
    Service,
    running_service,
    wait_for,
    wait_for_failed_transactions,
)

pytestmark = pytest.mark.service

SMALL = b"student_id,email\n1,one@x.edu\n"
MORE = b"student_id,email\n2,two@x.edu\n"


def set_read_only(url: str, value: str) -> None:
    """Make the database read-only or writable, and end all sessions, so new ones see it."""
    name = sql.Identifier(urlsplit(url).path.removeprefix("/"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(
            sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = {}").format(
                name, sql.SQL(value)
            )
        )
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.fixture
def service(fresh_postgresql_url: str, tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path, DATABASE_URL=fresh_postgresql_url) as running:
        running.stop_worker()
        running.log = tmp_path / "worker.log"
        running.start("worker")
        yield running


def warnings(log: Path) -> list[str]:
    """The reasons in the warnings of the worker's loop about its database."""
    lines = [line for line in log.read_text().splitlines() if "database unavailable" in line]
    return [str(json.loads(line)["reason"]) for line in lines]


def test_a_read_only_database_is_read_and_warned_of_once(
    service: Service, fresh_postgresql_url: str, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    assert service.imported(SMALL)["state"] == "SUCCESS"
    set_read_only(fresh_postgresql_url, "on")
    wait_for(lambda: service.get("/health/ready").body["database"] == "read-only", "not read-only")
    wait_for(lambda: service.get("/api/voters/").status == 200, "the roll cannot be read")
    assert service.upload(MORE).status == 503
    wait_for(lambda: any("ReadOnly" in warning for warning in warnings(log)), "no warning")
    # Meanwhile the worker tries to write heartbeats and to find jobs.
    wait_for_failed_transactions(fresh_postgresql_url, 5)
    set_read_only(fresh_postgresql_url, "off")
    wait_for(lambda: service.get("/health/ready").status == 200, "not ready again")
    assert service.imported(MORE, seconds=60)["state"] == "SUCCESS"
    assert sum("ReadOnly" in warning for warning in warnings(log)) == 1
    assert "Traceback" not in log.read_text()
