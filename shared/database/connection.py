"""One database for a process: opened from its URL, seen by every model through a proxy."""

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
# What the web and the worker's parent ask of PostgreSQL is a matter of milliseconds; what an
# import asks may take minutes.
ANSWER_SECONDS = 10.0
SQLITE_BUSY_SECONDS = 30
SQLITE_PRAGMAS = {
    # Readers go on while a writer commits. `synchronous` stays FULL: an accepted upload survives
    # a power cut.
    "journal_mode": "wal",
    "foreign_keys": 1,
    # Negative: KiB. The staging table of a large roll lives in a temporary file behind it.
    "cache_size": -16 * 1024,
}

database = DatabaseProxy()


class BaseModel(Model):
    """A table of this service, in whichever database the process has opened."""

    class Meta:
        database = database
        legacy_table_names = False


def open_database(url: str, *, pool_size: int = 0, answer_seconds: float | None = None) -> Database:
    """Point every model at the database of `url`, which is not connected to before the first query.

    `url` is `sqlite:///path` (relative to the project, `sqlite:////path` absolute) or
    `postgresql://...` with libpq's options. A `pool_size` above 0 keeps that many PostgreSQL
    connections for the threads of a web process; each is checked before it is handed out. A
    PostgreSQL that takes longer than `answer_seconds` for a statement is out of reach
    (peewee's OperationalError); None waits for ever.
    """
    name_outages()
    is_sqlite = url.startswith("sqlite")
    database.initialize(_sqlite(url) if is_sqlite else _postgresql(url, pool_size, answer_seconds))
    opened: Database = database.obj
    return opened


def _sqlite(url: str) -> Database:
    path = PROJECT_ROOT / url.removeprefix("sqlite:///")
    # A folder that cannot be made is found out by the first query, as any other database fault.
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Every transaction of ours writes. Taking the write lock at its start makes the busy timeout
    # cover the whole of it: a read lock that wants to become a write lock fails at once instead.
    sqlite = SqliteDatabase(
        str(path), pragmas=SQLITE_PRAGMAS, timeout=SQLITE_BUSY_SECONDS, lock_type="IMMEDIATE"
    )
    # SQLite's own knows the letters of ASCII alone, PostgreSQL's knows them all.
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


def be_patient() -> None:
    """Let the statements of a connection that is yet to be made take as long as they need."""
    if is_postgresql():
        database.connect_params["answer_seconds"] = None


def be_impatient(seconds: float) -> None:
    """Wait for SQLite's write lock no longer than this, on the connection of this thread."""
    if not is_postgresql():
        database.execute_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")


@contextmanager
def unless_locked() -> Iterator[None]:
    """Skip the rest of the block when another process holds SQLite's write lock. For writes that
    a later request repeats: no reader waits for an import because of them."""
    be_impatient(0)
    try:
        yield
    except OUTAGES as error:
        if is_postgresql() or "locked" not in str(error):
            raise
    finally:
        be_impatient(SQLITE_BUSY_SECONDS)


@contextmanager
def unless_unwritable() -> Iterator[None]:
    """The same, also when the database is read-only or its disk is full: it can still be read."""
    with unless_locked():
        try:
            yield
        except OUTAGES as error:
            if not (is_read_only(error) or is_disk_full(error)):
                raise


def is_postgresql() -> bool:
    """Tell PostgreSQL from SQLite for the few statements that differ."""
    return isinstance(database.obj, PostgresqlDatabase)
