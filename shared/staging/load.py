"""Load the rows of a file into the staging tables in bulk, by COPY or executemany."""

from collections.abc import Iterable

from peewee import __exception_wrapper__  # type: ignore[attr-defined]

from shared.database.connection import database, is_postgresql
from shared.roll_file.rows.validation import Legible, StagedRow
from shared.staging.tables import ConflictRow, RejectedRow, RepeatedId, StagedVoter

COLUMNS = tuple(StagedVoter._meta.sorted_field_names)
_NAMES = ", ".join(COLUMNS)
_PLACES = ", ".join("?" * len(COLUMNS))


def begin_staging() -> None:
    """Create empty staging tables on this connection, in place of those of an earlier attempt."""
    for model in (StagedVoter, RejectedRow, RepeatedId, ConflictRow):
        model.drop_table(safe=True)
        model.create_table(safe=False)


def stage(rows: Iterable[StagedRow]) -> int:
    """Load the rows as they come, in constant memory. Return how many there were.

    The connection is busy meanwhile, so producing a row must not use the database. An error of the
    rows' iterator passes through unchanged, and then none of these rows is staged.
    """
    return _load("staged_voter", rows)


def stage_rejected(rows: Iterable[Legible]) -> None:
    """Load the readable part of rejected rows, which the good rows must not contradict."""
    _load("rejected_row", rows)


def _load(table: str, rows: Iterable[StagedRow | Legible]) -> int:
    with __exception_wrapper__:
        return _copy(table, rows) if is_postgresql() else _execute_many(table, rows)


def _copy(table: str, rows: Iterable[StagedRow | Legible]) -> int:
    with database.connection().cursor() as cursor:
        with cursor.copy(f"COPY {table} ({_NAMES}) FROM STDIN") as copy:
            write_row = copy.write_row
            for row in rows:
                write_row(row)
        return int(cursor.rowcount)


def _execute_many(table: str, rows: Iterable[StagedRow | Legible]) -> int:
    connection = database.connection()
    # DEFERRED: this writes only the temporary database, so the roll stays free for others.
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
    """Update the planner's statistics. With those of an empty table it chooses nested loops."""
    if is_postgresql():
        database.execute_sql("ANALYZE staged_voter, rejected_row")
