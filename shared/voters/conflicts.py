"""The faults of rows that give one student id different values, each naming the other lines."""

from collections.abc import Iterator
from itertools import chain, groupby, islice
from operator import itemgetter

from shared.roll.errors import RowError
from shared.roll.validation import conflict_error
from shared.voters.merge import conflicting_rows

NAMED_LINES = 10


def conflict_errors(column: str) -> Iterator[RowError]:
    """A CONFLICTING_ROWS fault for each contradicting row, by student id and line; streamed.

    `column` is the label of the student id in the file. A fault names at most ten other lines,
    so that a file that repeats one id a million times needs no more memory than another.
    """
    for student_id, group in groupby(conflicting_rows(), key=itemgetter(0)):
        lines = (line for _, line in group)
        first = list(islice(lines, NAMED_LINES + 1))
        for line in chain(first, lines):
            others = [other for other in first if other != line]
            yield conflict_error(
                line,
                others[:NAMED_LINES],
                len(others) > NAMED_LINES or len(first) > NAMED_LINES,
                column,
                student_id,
            )
