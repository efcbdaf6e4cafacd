"""PostgreSQL for peewee, with limits on the wait for a hung server or network.

The kernel detects a dead server by the TCP settings below. Only `answer_seconds` detects a server
that hangs but still acknowledges what it receives.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from playhouse.postgres_ext import PooledPsycopg3Database, Psycopg3Database, Psycopg3ExtAdapter
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict

from shared.database.errors import NoAnswer
from shared.database.own_session import require_own_session

# The timeout for making a connection, and for the check of a pooled connection.
CONNECT_SECONDS = 5
# libpq's names. These settings detect a dead server after some 25 seconds.
CONNECTION_DEFAULTS = {
    "application_name": "student-voter-system",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# This limits how long a frozen attempt that holds the roll's lock can block the others.
IDLE_IN_TRANSACTION_MS = 60_000
# A statement, because poolers in front of a server reject the connection's `options`.
SET_UNLESS_SET = (
    "SELECT set_config(name, value, false) FROM (VALUES"
    " ('idle_in_transaction_session_timeout', %s), ('statement_timeout', %s)"
    ") AS wanted (name, value) WHERE current_setting(name) = '0'"
)
# The server's own limit must come first, because the connection survives that.
MARGIN_SECONDS = 1.0
REFUSE_SECONDS = 1.0


class BoundedConnection(psycopg.Connection[Any]):
    """A connection with a time limit for each statement. `answer_seconds` None means no limit."""

    answer_seconds: float | None = CONNECT_SECONDS

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """Run one exchange with the server. Everything that psycopg does passes through here."""
        if timeout is not None or self.answer_seconds is None:
            return super().wait(gen, interval, timeout)
        asked_at = time.monotonic()
        try:
            return super().wait(gen, interval, self.answer_seconds)
        except psycopg.OperationalError as error:
            # Compare the clock, because psycopg's exception for a timeout has no public name.
            if time.monotonic() - asked_at < self.answer_seconds:
                raise
            self.close()
            raise NoAnswer("the server does not answer") from error

    @contextmanager
    def answering_within(self, seconds: float) -> Iterator[None]:
        """Use another limit inside the block."""
        usual, self.answer_seconds = self.answer_seconds, seconds
        try:
            yield
        finally:
            self.answer_seconds = usual


class Adapter(Psycopg3ExtAdapter):
    """Make the connections. Settings in the URL override those set here."""

    # One check of the connection to the server is enough for a process.
    _has_own_sessions = False

    def connect(self, db: Any, **params: Any) -> BoundedConnection:
        """Open a connection.

        `params` are `answer_seconds` (None for no limit) and libpq's options.
        """
        answer_seconds = params.pop("answer_seconds")
        own_options = conninfo_to_dict(db.database)
        more_options = {name: value for name, value in params.items() if name not in own_options}

        def new_connection() -> BoundedConnection:
            return BoundedConnection.connect(db.database, autocommit=True, **more_options)

        connection = new_connection()
        try:
            if not self._has_own_sessions:
                require_own_session(connection, new_connection)
                self._has_own_sessions = True
            # PostgreSQL takes 0 for no limit.
            statement_ms = 0 if answer_seconds is None else round(answer_seconds * 1000)
            connection.execute(SET_UNLESS_SET, (f"{IDLE_IN_TRANSACTION_MS}", f"{statement_ms}"))
        except BaseException:
            connection.close()
            raise
        connection.answer_seconds = (
            None if answer_seconds is None else answer_seconds + MARGIN_SECONDS
        )
        return connection


class SingleDatabase(Psycopg3Database):
    """One connection per thread."""

    psycopg3_adapter = Adapter


class PooledDatabase(PooledPsycopg3Database):
    """A pool that checks connections before use.

    peewee checks and connects under a lock, so a server that hangs would delay the threads one
    after the other. After a failure, waiting threads therefore fail immediately.
    """

    psycopg3_adapter = Adapter
    _refuses_until = 0.0

    def _connect(self) -> BoundedConnection:
        if time.monotonic() < self._refuses_until:
            raise psycopg.OperationalError("the server could not be reached a moment ago")
        try:
            connection: BoundedConnection = super()._connect()
        except psycopg.OperationalError:
            self._refuses_until = time.monotonic() + REFUSE_SECONDS
            self.close_idle()
            raise
        return connection

    def _is_closed(self, conn: BoundedConnection) -> bool:
        """Whether a pooled connection is closed.

        Raises NoAnswer, because the connections after this one would not answer either.
        """
        try:
            with conn.answering_within(CONNECT_SECONDS):
                conn.execute("SELECT 1")
        except NoAnswer:
            raise
        except psycopg.Error:
            return True
        return False
