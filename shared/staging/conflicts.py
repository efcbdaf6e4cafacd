"""Faults for rows that give one student id different values. Each names the other lines."""

from collections.abc import Iterator
from itertools import chain, groupby, islice
from operator import itemgetter

from shared.database.sql import stream
from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.rows.validation import conflict_error
from shared.staging.repeats import conflicting_rows
from shared.staging.tables import ConflictRow

NAMED_LINES = 10
BATCH_ROWS = 1_000


def note_conflicts(column: str) -> None:
    """Write the fault of every contradicting row into a TEMP table, in constant memory.

    `column` is the label of the student id in the file. A fault names at most ten other lines. A
    file that repeats one id a million times therefore needs no more memory than another.
    """
    faults = _faults(column)
    fields = [ConflictRow.line, ConflictRow.student_id, ConflictRow.message]
    while rows := [
        (fault.line, fault.value, fault.message) for fault in islice(faults, BATCH_ROWS)
    ]:
        ConflictRow.insert_many(rows, fields=fields).execute()


def conflict_faults(column: str) -> Iterator[RowError]:
    """Stream the noted faults in the order of their lines."""
    query = ConflictRow.select(ConflictRow.line, ConflictRow.student_id, ConflictRow.message)
    for line, student_id, message in stream(query.order_by(ConflictRow.line)):
        yield RowError(line, column, RowCode.CONFLICTING_ROWS, student_id, message)


def _faults(column: str) -> Iterator[RowError]:
    """Yield the faults by student id and line, the order of the rows in the staging table."""
    for student_id, group in groupby(conflicting_rows(), key=itemgetter(0)):
        rows = ((line, is_good) for _, line, is_good in group)
        first = list(islice(rows, NAMED_LINES + 1))
        has_more = len(first) > NAMED_LINES
        for line, is_good in chain(first, rows):
            # A rejected row is only named, because it has faults of its own.
            if is_good:
                others = [other for other, _ in first if other != line]
                yield conflict_error(line, others[:NAMED_LINES], has_more, column, student_id)
