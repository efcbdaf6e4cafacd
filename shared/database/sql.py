"""SQL that differs between PostgreSQL and SQLite, and streaming of results."""

from collections.abc import Iterator
from typing import Any

from peewee import (  # type: ignore[attr-defined]
    SQL,
    Node,
    NodeList,
    SelectBase,
    __exception_wrapper__,
    fn,
)

from shared.database.connection import database, is_postgresql


def clock(plus_seconds: float = 0.0) -> Node:
    """Return SQL for the database's own time in UTC, without a zone, moved by `plus_seconds`.

    Leases are compared only by this clock, so the clocks of the machines do not matter.
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
    """Return the database's own time, in seconds since 1970."""
    query = (
        "SELECT EXTRACT(EPOCH FROM statement_timestamp())::float8"
        if is_postgresql()
        else "SELECT (julianday('now') - 2440587.5) * 86400.0"
    )
    return float(database.execute_sql(query).fetchone()[0])


def seconds_between(later: Any, earlier: Any) -> Any:
    """Return SQL for the seconds from `earlier` to `later`, two times of the database.

    The result is negative if `later` comes first.
    """
    if is_postgresql():
        return NodeList((SQL("EXTRACT(EPOCH FROM"), later, SQL("-"), earlier, SQL(")::float8")))
    return (fn.julianday(later) - fn.julianday(earlier)) * 86_400.0


def stream(query: SelectBase) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of a query as tuples, in constant memory.

    PostgreSQL would send the whole result at once, so a server-side cursor fetches it in parts.
    """
    options = {"named_cursor": True} if is_postgresql() else {}
    cursor = database.execute(query, **options)
    try:
        # peewee converts the driver's errors when it executes, but not when it fetches.
        with __exception_wrapper__:
            yield from iter(cursor.fetchone, None)
    finally:
        # peewee's cursor refers to itself, so the garbage collector may close it late. An
        # unfinished one would close in the middle of another statement, and wait for it
        # permanently.
        cursor.close()
