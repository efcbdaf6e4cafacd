"""Read the rows of a file into staging: good rows to compare, rejected rows by their ids."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, islice, takewhile
from typing import cast

from shared.importing.rejected_rows import Rejections
from shared.jobs import transitions
from shared.jobs.states import Phase
from shared.jobs.transitions import Claim
from shared.roll_file.errors import FileCode, FileFault, WarningCode
from shared.roll_file.report import Report
from shared.roll_file.rows.columns import repeats_header
from shared.roll_file.rows.row import RollReader, Row
from shared.roll_file.rows.validation import Staged, compile_validator
from shared.roll_file.writing.csv_export import as_meant, is_disarmed
from shared.staging import load, repeats

BATCH_ROWS = 20_000
PROGRESS_SECONDS = 0.5
# Rejected rows wait in memory until the connection is free for them.
MAX_WAITING_REJECTS = 5_000

OnProgress = Callable[[Phase, int, float | None], None]


@dataclass(slots=True)
class Ids:
    """Check whether student ids rise from row to row, as in a registrar's export.

    Rising ids cannot repeat. The ids include those of rejected rows, as far as they can be read.
    """

    are_rising: bool = True
    last: str = ""

    def see(self, student_id: str) -> None:
        """Record the id of the next row."""
        self.are_rising = self.are_rising and student_id > self.last
        self.last = student_id


def stage_all(
    claim: Claim, reader: RollReader, rejections: Rejections, ids: Ids, on_progress: OnProgress
) -> Report:
    """Stage the good rows in batches. Return a report of what reading alone can show.

    Between two batches the connection is free, and the attempt reports its progress.
    """
    load.begin_staging()
    report = Report()
    rows = _good_rows(reader, rejections, report, ids)
    staged = 0
    told_at = time.monotonic()
    for first in rows:
        batch = takewhile(bool, chain((first,), islice(rows, BATCH_ROWS - 1)))
        staged += load.stage(cast(Iterator[Staged], batch))
        _stage_rejected(rejections)
        if time.monotonic() - told_at >= PROGRESS_SECONDS:
            percent = round(100 * fraction, 1) if (fraction := reader.fraction()) else None
            rows_read = staged + rejections.count
            transitions.note_progress(claim, rows_read=rows_read, percent=percent)
            on_progress(Phase.READING, rows_read, percent)
            told_at = time.monotonic()
    _stage_rejected(rejections)
    report.rows_read = staged + rejections.count
    if not report.rows_read:
        raise FileFault(
            FileCode.NO_ROWS,
            "The file has a header and no rows below it. Export the roll again.",
        )
    load.analyze_staging()
    report.missing_fields = dict(rejections.missing + Counter(repeats.count_missing()))
    return report


def _stage_rejected(rejections: Rejections) -> None:
    if legible := rejections.take_legible():
        load.stage_rejected(legible)


def _good_rows(
    reader: RollReader, rejections: Rejections, report: Report, ids: Ids
) -> Iterator[Staged | None]:
    """Yield the good rows. Yields None if a batch must end so that rejected rows can be staged."""
    validate = compile_validator(reader.header)
    for line, cells in rows_as_meant(reader):
        row = validate(line, cells)
        if isinstance(row, tuple):
            if row[1] <= ids.last:
                ids.are_rising = False
            ids.last = row[1]
            yield row
        elif row is None:
            report.blank_rows += 1
        elif repeats_header(reader.header, cells):
            reader.warnings[WarningCode.REPEATED_HEADER] += 1
        else:
            rejections.add(line, cells, row)
            if row.legible:
                ids.see(row.legible[1])
            if len(rejections.legible) >= MAX_WAITING_REJECTS:
                yield None


def rows_as_meant(reader: RollReader) -> Iterator[Row]:
    """Return the rows as their file means them.

    The rows of an export or of a fixed rejects file are without what disarmed them.
    """
    labels = reader.header.labels
    if not is_disarmed(labels):
        return iter(reader)
    return ((line, as_meant(cells, labels, reader.format)) for line, cells in reader)
