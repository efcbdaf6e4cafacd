"""PostgreSQL for peewee, with an end to what a hung server or network keeps waiting.

A dead one is found out by the kernel (the TCP settings below), whoever waits for it. One that
hangs and goes on acknowledging what it is sent is found out by `answer_seconds` alone.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from playhouse.postgres_ext import PooledPsycopg3Database, Psycopg3Database, Psycopg3ExtAdapter
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict

from shared.database.sessions import demand_own_session

# For a connection to be made, and for one that has lain in a pool to show that it is alive.
CONNECT_SECONDS = 5
# libpq's names. With these a dead server is noticed after some 25 seconds.
CONNECTION_DEFAULTS = {
    "application_name": "student-voter-system",
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
# An attempt that is frozen while it holds the roll's lock keeps the others waiting no longer.
IDLE_IN_TRANSACTION_MS = 60_000
# A statement and not the connection's `options`, which poolers in front of a server refuse.
SET_UNLESS_SET = (
    "SELECT set_config(name, value, false) FROM (VALUES"
    " ('idle_in_transaction_session_timeout', %s), ('statement_timeout', %s)"
    ") AS wanted (name, value) WHERE current_setting(name) = '0'"
)
# The server's own limit comes first, because the connection survives that.
MARGIN_SECONDS = 1.0
REFUSE_SECONDS = 1.0


class NoAnswer(psycopg.OperationalError):
    """The server takes longer to answer than anybody waits; the connection is closed."""


class BoundedConnection(psycopg.Connection[Any]):
    """A connection on which no statement waits for ever, unless `answer_seconds` is None."""

    answer_seconds: float | None = CONNECT_SECONDS

    def wait(self, gen: PQGen[Any], interval: float = 0.1, timeout: float | None = None) -> Any:
        """Run one exchange with the server: everything that psycopg does passes through here."""
        if timeout is not None or self.answer_seconds is None:
            return super().wait(gen, interval, timeout)
        asked_at = time.monotonic()
        try:
            return super().wait(gen, interval, self.answer_seconds)
        except psycopg.OperationalError as error:
            # By the clock: what psycopg raises when it waits no longer has no public name.
            if time.monotonic() - asked_at < self.answer_seconds:
                raise
            self.close()
            raise NoAnswer("the server does not answer") from error

    @contextmanager
    def answering_within(self, seconds: float) -> Iterator[None]:
        """Another patience for a while."""
        usual, self.answer_seconds = self.answer_seconds, seconds
        try:
            yield
        finally:
            self.answer_seconds = usual


class Adapter(Psycopg3ExtAdapter):
    """Makes the connections. What the URL says wins over what is set here."""

    # One look at the way to the server is enough for a process.
    _has_own_sessions = False

    def connect(self, db: Any, **params: Any) -> BoundedConnection:
        """`params` hold `answer_seconds`, None for no limit; the rest is libpq's."""
        answer_seconds = params.pop("answer_seconds")
        stated = conninfo_to_dict(db.database)
        unstated = {name: value for name, value in params.items() if name not in stated}

        def connected() -> BoundedConnection:
            return BoundedConnection.connect(db.database, autocommit=True, **unstated)

        connection = connected()
        try:
            if not self._has_own_sessions:
                demand_own_session(connection, connected)
                self._has_own_sessions = True
            statement_ms = round((answer_seconds or 0) * 1000)
            connection.execute(SET_UNLESS_SET, (f"{IDLE_IN_TRANSACTION_MS}", f"{statement_ms}"))
        except BaseException:
            connection.close()
            raise
        connection.answer_seconds = answer_seconds and answer_seconds + MARGIN_SECONDS
        return connection


class SingleDatabase(Psycopg3Database):
    """One connection a thread."""

    psycopg3_adapter = Adapter


class PooledDatabase(PooledPsycopg3Database):
    """Connections that are checked before they are handed out.

    peewee checks and connects under a lock. A server that hangs would keep the threads waiting
    one after the other, so after a failure those that wait fail at once.
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
        """Raises NoAnswer: the connections behind this one would not answer either."""
        try:
            with conn.answering_within(CONNECT_SECONDS):
                conn.execute("SELECT 1")
        except NoAnswer:
            raise
        except psycopg.Error:
            return True
        return False
