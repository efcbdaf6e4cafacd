"""The database of a process: opened from its URL, and used by every model through a proxy."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from peewee import (
    Database,
    DatabaseProxy,
    Model,
    PostgresqlDatabase,
    SqliteDatabase,
)

from config.settings import PROJECT_ROOT
from shared.database.outages import OUTAGES, is_disk_full, is_read_only, name_outages
from shared.database.postgresql import CONNECTION_DEFAULTS, PooledDatabase, SingleDatabase

POOL_WAIT_SECONDS = 5
# Queries of the web process and of the worker's parent take milliseconds. Queries of an import may
# take minutes.
ANSWER_SECONDS = 10.0
SQLITE_BUSY_SECONDS = 30
SQLITE_PRAGMAS = {
    # Readers continue while a writer commits. `synchronous` stays FULL, so an accepted upload
    # survives a power cut.
    "journal_mode": "wal",
    "foreign_keys": 1,
    # A negative value is in KiB. The staging table of a large roll is in a temporary file behind
    # it.
    "cache_size": -16 * 1024,
}

database = DatabaseProxy()


class BaseModel(Model):
    """A table of this service, in the database that the process has opened."""

    class Meta:
        database = database
        legacy_table_names = False


def open_database(url: str, *, pool_size: int = 0, answer_seconds: float | None = None) -> Database:
    """Point every model at the database of `url`. The first query connects to it.

    `url` is `sqlite:///path` (relative to the project, `sqlite:////path` absolute) or
    `postgresql://...` with libpq's options. A `pool_size` above 0 keeps that many PostgreSQL
    connections for the threads of a web process. Each is checked before use.

    A statement of PostgreSQL that takes longer than `answer_seconds` raises peewee's
    OperationalError. None means no limit.
    """
    name_outages()
    is_sqlite = url.startswith("sqlite")
    database.initialize(_sqlite(url) if is_sqlite else _postgresql(url, pool_size, answer_seconds))
    new_database: Database = database.obj
    return new_database


def _sqlite(url: str) -> Database:
    path = PROJECT_ROOT / url.removeprefix("sqlite:///")
    # If the folder cannot be created, the first query shows it, as any other database fault.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Every transaction of ours writes. The write lock at its start makes the busy timeout cover all
    # of it. To upgrade a read lock to a write lock would fail immediately instead.
    sqlite = SqliteDatabase(
        str(path), pragmas=SQLITE_PRAGMAS, timeout=SQLITE_BUSY_SECONDS, lock_type="IMMEDIATE"
    )
    # SQLite's own function lowers only ASCII letters, but PostgreSQL's lowers all letters.
    sqlite.register_function(_lower, "LOWER", 1, deterministic=True)
    return sqlite


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()


def _postgresql(url: str, pool_size: int, answer_seconds: float | None) -> Database:
    options = {**CONNECTION_DEFAULTS, "answer_seconds": answer_seconds}
    if not pool_size:
        return SingleDatabase(url, **options)  # type: ignore[no-untyped-call]
    return PooledDatabase(  # type: ignore[no-untyped-call]
        url, max_connections=pool_size, timeout=POOL_WAIT_SECONDS, **options
    )


def close_database() -> None:
    """Close this thread's connection, and those in the pool."""
    database.close()
    if isinstance(database.obj, PooledDatabase):
        database.obj.close_idle()


def limit_lock_wait(seconds: float) -> None:
    """Limit the wait for SQLite's write lock to this time, on the connection of this thread."""
    if not is_postgresql():
        database.execute_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


@contextmanager
def unless_locked() -> Iterator[None]:
    """Skip the rest of the block if another process holds SQLite's write lock.

    For writes that a later request repeats, so no reader has to wait for an import.
    """
    limit_lock_wait(0)
    try:
        yield
    except OUTAGES as error:
        if is_postgresql() or "locked" not in str(error):
            raise
    finally:
        limit_lock_wait(SQLITE_BUSY_SECONDS)


@contextmanager
def unless_unwritable() -> Iterator[None]:
    """Do the same as `unless_locked`, also for a read-only database or a full disk.

    The database can still be read then.
    """
    with unless_locked():
        try:
            yield
        except OUTAGES as error:
            if not (is_read_only(error) or is_disk_full(error)):
                raise


def is_postgresql() -> bool:
    """Whether the database is PostgreSQL and not SQLite, for the few statements that differ."""
    return isinstance(database.obj, PostgresqlDatabase)
