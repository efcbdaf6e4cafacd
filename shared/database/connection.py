"""One database for a process: opened from its URL, seen by every model through a proxy."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from peewee import (  # type: ignore[attr-defined]
    SQL,
    Database,
    DatabaseProxy,
    Model,
    Node,
    NodeList,
    PostgresqlDatabase,
    SelectBase,
    SqliteDatabase,
    __exception_wrapper__,
    fn,
)
from playhouse.migrations import Runner

from config.settings import PROJECT_ROOT
from shared.database.outages import OUTAGES, is_disk_full, is_read_only, name_outages
from shared.database.postgresql import CONNECTION_DEFAULTS, PooledDatabase, SingleDatabase

MIGRATIONS = Path(__file__).parent / "migrations"
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


def clock(plus_seconds: float = 0.0) -> Node:
    """SQL for the database's own time in UTC, without a zone, moved by `plus_seconds`.

    Leases are compared by this clock alone, so the clocks of the machines do not matter.
    """
    if is_postgresql():
        return NodeList(
            (
                SQL("(statement_timestamp() AT TIME ZONE 'UTC' + "),
                plus_seconds,
                SQL(" * interval '1 second')"),
            )
        )
    return fn.strftime("%Y-%m-%d %H:%M:%f", "now", f"{plus_seconds:+.3f} seconds")


def now_seconds() -> float:
    """The database's own time, in seconds since 1970."""
    query = (
        "SELECT EXTRACT(EPOCH FROM statement_timestamp())::float8"
        if is_postgresql()
        else "SELECT (julianday('now') - 2440587.5) * 86400.0"
    )
    return float(database.execute_sql(query).fetchone()[0])


def seconds_between(later: Any, earlier: Any) -> Any:
    """SQL for how many seconds lie between two times of the database, negative the other way."""
    if is_postgresql():
        return NodeList((SQL("EXTRACT(EPOCH FROM"), later, SQL("-"), earlier, SQL(")::float8")))
    return (fn.julianday(later) - fn.julianday(earlier)) * 86_400.0


def migrate() -> list[str]:
    """Bring the schema up to date; returns the names of the migrations applied now.

    On PostgreSQL an advisory lock keeps two releases from migrating at once.
    """
    runner = Runner(database.obj, str(MIGRATIONS))
    if not is_postgresql():
        return list(runner.up())
    lock_key = 0x566F746572  # "Voter"
    database.execute_sql("SELECT pg_advisory_lock(%s)", (lock_key,))
    try:
        return list(runner.up())
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(%s)", (lock_key,))


def pending_migrations() -> list[str]:
    """Names of the migrations that the code knows and the database lacks."""
    return [
        migration.name
        for migration in Runner(database.obj, str(MIGRATIONS)).status()
        if not migration.applied
    ]


def stream(query: SelectBase) -> Iterator[tuple[Any, ...]]:
    """The rows of a query as tuples, in constant memory.

    PostgreSQL would send the whole result at once; a server-side cursor fetches it in parts.
    """
    options = {"named_cursor": True} if is_postgresql() else {}
    cursor = database.execute(query, **options)
    try:
        # peewee turns the driver's errors into its own where it executes, not where it fetches.
        with __exception_wrapper__:
            yield from iter(cursor.fetchone, None)
    finally:
        # peewee's cursor refers to itself. Left to the garbage collector, one that was not read to
        # its end is closed in the middle of some other statement, and waits for that one for ever.
        cursor.close()
