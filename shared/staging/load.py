"""The bulk load of a file's rows into the staging tables: COPY, or executemany."""

from collections.abc import Iterable

from peewee import __exception_wrapper__  # type: ignore[attr-defined]

from shared.database.connection import database, is_postgresql
from shared.roll_file.rows.validation import Legible, Staged
from shared.staging.tables import ConflictRow, RejectedRow, RepeatedId, StagedVoter

COLUMNS = tuple(StagedVoter._meta.sorted_field_names)
_NAMES = ", ".join(COLUMNS)
_PLACES = ", ".join("?" * len(COLUMNS))


def begin_staging() -> None:
    """Make empty staging tables on this connection, in place of those of an earlier attempt."""
    for model in (StagedVoter, RejectedRow, RepeatedId, ConflictRow):
        model.drop_table(safe=True)
        model.create_table(safe=False)


def stage(rows: Iterable[Staged]) -> int:
    """Load the rows as they come, in constant memory; returns how many there were.

    While it runs, the connection is busy: producing a row must not use the database. What the
    rows' iterator raises comes out unchanged, and none of these rows is staged then.
    """
    return _load("staged_voter", rows)


def stage_rejected(rows: Iterable[Legible]) -> None:
    """Load what can be read of rejected rows, which the good ones must not contradict."""
    _load("rejected_row", rows)


def _load(table: str, rows: Iterable[Staged | Legible]) -> int:
    with __exception_wrapper__:
        return _copy(table, rows) if is_postgresql() else _execute_many(table, rows)


def _copy(table: str, rows: Iterable[Staged | Legible]) -> int:
    with database.connection().cursor() as cursor:
        with cursor.copy(f"COPY {table} ({_NAMES}) FROM STDIN") as copy:
            write_row = copy.write_row
            for row in rows:
                write_row(row)
        return int(cursor.rowcount)


def _execute_many(table: str, rows: Iterable[Staged | Legible]) -> int:
    connection = database.connection()
    # DEFERRED: only the temporary database is written, the roll stays free for others.
    connection.execute("BEGIN DEFERRED")
    try:
        statement = f"INSERT INTO {table} ({_NAMES}) VALUES ({_PLACES})"  # noqa: S608
        count = connection.executemany(statement, rows).rowcount
    except BaseException:
        connection.rollback()
        raise
    connection.commit()
    return max(int(count), 0)


def analyze_staging() -> None:
    """Tell the planner how many rows there are; with the figures of an empty table it picks
    nested loops."""
    if is_postgresql():
        database.execute_sql("ANALYZE staged_voter, rejected_row")
