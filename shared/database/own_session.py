"""Check that a connection has a PostgreSQL session of its own.

A pooler in transaction mode gives each transaction another session. Staged rows of two imports
would then mix in one TEMP table. Settings and prepared statements would reach other clients.
"""

from collections.abc import Callable
from typing import Any

import psycopg

from shared.database.errors import SharedSession

ROUNDS = 5


def require_own_session(
    connection: "psycopg.Connection[Any]", connect: Callable[[], "psycopg.Connection[Any]"]
) -> None:
    """Raise `SharedSession` unless the session stays with this connection.

    The connection must be in autocommit mode and must have changed nothing yet. `connect` makes
    another connection in the same way.
    """
    # A pooler shows its clients a number of its own, so without a pooler this is a single query.
    if connection.info.backend_pid == _session(connection):
        return
    if _is_shared(connection, connect):
        raise SharedSession(
            "it is reached through a pooler that shares sessions. Use a pooler in session"
            " mode, or the address of the server itself"
        )


def _is_shared(
    connection: "psycopg.Connection[Any]", connect: Callable[[], "psycopg.Connection[Any]"]
) -> bool:
    """Whether this connection changes its session, or another connection gets the same one."""
    own: set[int] = set()
    try:
        with connect() as other:
            for _ in range(ROUNDS):
                own.add(_session(connection))
                other.execute("BEGIN", prepare=False)
                if _session(other) in own:
                    return True
                other.execute("ROLLBACK", prepare=False)
    except psycopg.OperationalError as error:
        # pgbouncer in statement mode rejects transactions. Another error may mean that this
        # connection keeps the only session, which is then its own.
        return "pooling mode" in str(error)
    return len(own) > 1


def _session(connection: "psycopg.Connection[Any]") -> int:
    row = connection.execute("SELECT pg_backend_pid()", prepare=False).fetchone()
    assert row is not None  # noqa: S101 # nosec B101 # a function without arguments
    return int(row[0])
