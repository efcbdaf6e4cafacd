"""The bulk load of a file's good rows into the staging table: COPY, or executemany."""

from collections.abc import Iterable

from peewee import __exception_wrapper__  # type: ignore[attr-defined]

from shared.database import database, is_postgresql
from shared.roll.validation import Staged
from shared.voters.models import ConflictRow, RepeatedId, StagedVoter

COLUMNS = tuple(StagedVoter._meta.sorted_field_names)
_NAMES = ", ".join(COLUMNS)
COPY_STATEMENT = f"COPY staged_voter ({_NAMES}) FROM STDIN"
INSERT_STATEMENT = f"INSERT INTO staged_voter ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608


def begin_staging() -> None:
    """Make empty staging tables on this connection, in place of those of an earlier attempt."""
    for model in (StagedVoter, RepeatedId, ConflictRow):
        model.drop_table(safe=True)
        model.create_table(safe=False)


def stage(rows: Iterable[Staged]) -> int:
    """Load the rows as they come, in constant memory; returns how many there were.

    While it runs, the connection is busy: producing a row must not use the database. What the
    rows' iterator raises comes out unchanged, and none of these rows is staged then.
    """
    with __exception_wrapper__:
        return _copy(rows) if is_postgresql() else _execute_many(rows)


def _copy(rows: Iterable[Staged]) -> int:
    with database.connection().cursor() as cursor:
        with cursor.copy(COPY_STATEMENT) as copy:
            write_row = copy.write_row
            for row in rows:
                write_row(row)
        return int(cursor.rowcount)


def _execute_many(rows: Iterable[Staged]) -> int:
    connection = database.connection()
    # DEFERRED: only the temporary database is written, the roll stays free for others.
    connection.execute("BEGIN DEFERRED")
    try:
        count = connection.executemany(INSERT_STATEMENT, rows).rowcount
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return max(int(count), 0)


def analyze_staging() -> None:
    """Tell the planner how many rows there are; with the figures of an empty table it picks
    nested loops."""
    if is_postgresql():
        database.execute_sql("ANALYZE staged_voter")
