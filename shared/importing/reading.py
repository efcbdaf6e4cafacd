"""Reads the rows of a file into staging: good ones to be compared, rejected ones by their ids."""

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
# A rejected row waits in memory until the connection is free for it.
MAX_WAITING_REJECTS = 5_000

OnProgress = Callable[[Phase, int, float | None], None]


@dataclass(slots=True)
class Ids:
    """Student ids that rise from row to row, as a registrar's export has them, do not repeat; those
    of rejected rows, as far as they can be read, are among them."""

    are_rising: bool = True
    last: str = ""

    def see(self, student_id: str) -> None:
        """Take the id of the next row."""
        self.are_rising = self.are_rising and student_id > self.last
        self.last = student_id


def stage_all(
    claim: Claim, reader: RollReader, rejections: Rejections, ids: Ids, on_progress: OnProgress
) -> Report:
    """Stage the good rows in batches; between two of them the connection is free to tell the
    progress. Returns a report of what reading alone can tell."""
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
            "The file has a header and no rows below it. Please export the roll again.",
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
    """None where a batch must end, for rejected rows to be staged."""
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
    """The rows, and those of an export or a mended rejects file without what disarmed them."""
    labels = reader.header.labels
    if not is_disarmed(labels):
        return iter(reader)
    return ((line, as_meant(cells, labels, reader.format)) for line, cells in reader)
