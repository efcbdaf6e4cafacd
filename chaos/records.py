"""Queries of the campaign to the service's database, over its own connections."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from uuid import UUID

import psycopg

from shared.voters.roll import ROLL_LOCK_KEY

UNFINISHED = "SELECT count(*) FROM job WHERE finished_at IS NULL"
UNSENT = "SELECT count(*) FROM outbox WHERE channel = 'mail' AND state = 'pending'"
Rows = list[tuple[Any, ...]]


class OutOfReach(Exception):
    """The database does not answer now, as is normal in a campaign."""


class Records:
    """Queries to the database of `url`, each over a new connection."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_postgresql = url.startswith("postgresql")

    def ask(self, question: str, *values: object) -> Rows:
        """Run a statement with `%s` for values and return its rows. Raises `OutOfReach`."""
        try:
            if self.is_postgresql:
                with self.session() as connection:
                    return connection.execute(question.encode(), values).fetchall()
            with closing(self.sqlite_connection(5)) as connection:
                return connection.execute(question.replace("%s", "?"), values).fetchall()
        except (psycopg.Error, sqlite3.OperationalError) as error:
            raise OutOfReach(str(error)) from error

    def count_unfinished(self) -> int:
        """The number of jobs that are not final. Raises `OutOfReach`."""
        return int(self.ask(UNFINISHED)[0][0])

    def count_unsent(self) -> int:
        """The number of report mails that are due or will be due. Raises `OutOfReach`."""
        return int(self.ask(UNSENT)[0][0])

    def end_waits(self) -> None:
        """Make every job and mail that waits for its next attempt due now. Raises `OutOfReach`."""
        self.ask("UPDATE job SET not_before = created_at WHERE state = 'RETRY' RETURNING 1")
        self.ask(
            "UPDATE outbox SET due_at = asked_at WHERE channel = 'mail' AND state = 'pending'"
            " RETURNING 1"
        )

    def attempt_of(self, job_id: UUID) -> int:
        """The number of the job's current attempt. Raises `OutOfReach`."""
        key = str(job_id) if self.is_postgresql else job_id.hex
        return int(self.ask("SELECT attempts FROM job WHERE id = %s", key)[0][0])

    @contextmanager
    def session(self) -> "Iterator[psycopg.Connection[tuple[Any, ...]]]":
        """A PostgreSQL session in autocommit mode."""
        with psycopg.connect(
            self.url, autocommit=True, connect_timeout=5, application_name="chaos"
        ) as connection:
            yield connection

    def sqlite_connection(self, wait_seconds: float) -> sqlite3.Connection:
        """A SQLite connection in autocommit mode that waits `wait_seconds` for a lock."""
        path = self.url.removeprefix("sqlite:///")
        return sqlite3.connect(path, timeout=wait_seconds, isolation_level=None)


def hold_roll(connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """Prevent every attempt from changing the roll until `release_roll` is called."""
    connection.execute("SELECT pg_advisory_lock(%s)", (ROLL_LOCK_KEY,))


def release_roll(connection: "psycopg.Connection[tuple[Any, ...]]") -> None:
    """Let the attempts change the roll again."""
    connection.execute("SELECT pg_advisory_unlock(%s)", (ROLL_LOCK_KEY,))
