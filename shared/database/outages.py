"""Recognize outages: a database or disk that cannot be used now.

Examples are the time after a failover and the time before a migration. This is the one list for the
web process, the worker, its job processes and the commands. The web process answers an outage with
503, and the others retry later. Any other database error is an internal error.
"""

import errno
import sqlite3
import time
from logging import Logger

import psycopg
from peewee import (  # type: ignore[attr-defined]
    EXCEPTIONS,
    InterfaceError,
    OperationalError,
)
from playhouse.pool import MaxConnectionsExceeded

# psycopg's names for errors about PostgreSQL's state. Their classes alone would make them internal
# errors: https://www.postgresql.org/docs/current/errcodes-appendix.html
SERVER_STATES = (
    "ReadOnlySqlTransaction",  # 25006
    "InFailedSqlTransaction",  # 25P02
    "IdleInTransactionSessionTimeout",  # 25P03
    "TransactionTimeout",  # 25P04
    "InvalidSqlStatementName",  # 26000, of a pooler that has changed the session
    "InvalidCursorName",  # 34000, the same
    "InvalidCatalogName",  # 3D000
    "InvalidSchemaName",  # 3F000
    "InsufficientPrivilege",  # 42501
    "UndefinedColumn",  # 42703
    "UndefinedTable",  # 42P01
    "DuplicatePreparedStatement",  # 42P05, of such a pooler
    "InternalError_",  # XX000
    "DataCorrupted",  # XX001
    "IndexCorrupted",  # XX002
    # Exactly this class, which SQLite raises for a damaged file or one that is not a database.
    "DatabaseError",
)
# Other errors about SQLite's state are OperationalErrors: a read-only or locked file, a full disk,
# a missing table. Fetching rows raises the driver's own classes.
OUTAGES: tuple[type[Exception], ...] = (
    OperationalError,
    InterfaceError,
    MaxConnectionsExceeded,
    sqlite3.OperationalError,
    psycopg.OperationalError,
)
READ_ONLY = ("ReadOnlySqlTransaction", "SQLITE_READONLY")
DISK_FULL = ("DiskFull", "SQLITE_FULL")
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
# The message of `tempfile` if it cannot write into any folder. It has no errno of its own.
NO_FOLDER = "No usable temporary directory"
QUIET_SECONDS = 60.0


def name_outages() -> None:
    """Make peewee raise OperationalError for all these states of the server.

    peewee looks up errors by the names of their classes.
    """
    EXCEPTIONS.update(dict.fromkeys(SERVER_STATES, OperationalError))


def is_read_only(error: BaseException) -> bool:
    """Whether the database can be read but not written."""
    return _state(error).startswith(READ_ONLY)


def is_disk_full(error: BaseException) -> bool:
    """Whether the reason is a full disk, of this machine or of the database."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM or str(error.strerror).startswith(NO_FOLDER)
    return _state(error).startswith(DISK_FULL)


def reason_of(error: BaseException) -> str:
    """Return the state and the first line for a log. Further lines may quote a row."""
    return f"{_state(error)}: {str(error).partition(chr(10))[0]}"


def _state(error: BaseException) -> str:
    """Return the driver's name of the error."""
    cause = getattr(error, "orig", error)
    return str(getattr(cause, "sqlite_errorname", type(cause).__name__))


class OutageLog:
    """Log one warning for an outage, repeated once a minute while it lasts."""

    def __init__(self, logger: Logger, event: str) -> None:
        self._logger = logger
        self._event = event
        self._quiet_until: dict[str, float] = {}

    def note(self, error: BaseException) -> None:
        """Log the error, unless the same was logged less than a minute ago."""
        state = _state(error)
        if time.monotonic() >= self._quiet_until.get(state, 0.0):
            self._quiet_until[state] = time.monotonic() + QUIET_SECONDS
            self._logger.warning(self._event, extra={"reason": reason_of(error)})
