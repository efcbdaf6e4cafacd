"""When a database or a disk cannot be used now, as after a failover or before a migration.

This is the one list for the web process, the worker, its job processes and the commands. An outage
is answered 503 and tried again later. Any other error of the database is a defect of ours.
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

# psycopg's names for what PostgreSQL reports about its state. By their classes alone these would be
# defects: https://www.postgresql.org/docs/current/errcodes-appendix.html
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
    # The very class: what SQLite raises for a damaged file, or for one that is not a database.
    "DatabaseError",
)
# All else that SQLite reports about its state is an OperationalError: a read-only or locked file, a
# full disk, a missing table. A driver's own classes come out where rows are fetched.
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
# What `tempfile` says where it cannot write into any folder. It has no errno of its own.
NO_FOLDER = "No usable temporary directory"
QUIET_SECONDS = 60.0


def name_outages() -> None:
    """Let peewee, which looks errors up by the names of their classes, raise OperationalError for
    all states of the server."""
    EXCEPTIONS.update(dict.fromkeys(SERVER_STATES, OperationalError))


def is_read_only(error: BaseException) -> bool:
    """Whether the database can be read and not written."""
    return _state(error).startswith(READ_ONLY)


def is_disk_full(error: BaseException) -> bool:
    """Whether a disk without room is the reason: of this machine, or of the database."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM or str(error.strerror).startswith(NO_FOLDER)
    return _state(error).startswith(DISK_FULL)


def reason_of(error: BaseException) -> str:
    """The state and the first line, for a log: further lines may quote a row."""
    return f"{_state(error)}: {str(error).partition(chr(10))[0]}"


def _state(error: BaseException) -> str:
    """The name that the driver has for it."""
    raised = getattr(error, "orig", error)
    return str(getattr(raised, "sqlite_errorname", type(raised).__name__))


class OutageLog:
    """One warning for an outage, repeated once a minute while it lasts."""

    def __init__(self, logger: Logger, event: str) -> None:
        self._logger = logger
        self._event = event
        self._quiet_until: dict[str, float] = {}

    def note(self, error: BaseException) -> None:
        """Log it, unless the same was logged a moment ago."""
        state = _state(error)
        if time.monotonic() >= self._quiet_until.get(state, 0.0):
            self._quiet_until[state] = time.monotonic() + QUIET_SECONDS
            self._logger.warning(self._event, extra={"reason": reason_of(error)})
