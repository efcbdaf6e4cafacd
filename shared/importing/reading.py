"""Read the rows of a file into staging: good rows to compare, rejected rows by their ids."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from shared.importing.rejected_rows import Rejections
from shared.jobs import claims
from shared.jobs.claims import Claim
from shared.jobs.states import Phase
from shared.roll_file.errors import FileCode, FileFault, WarningCode
from shared.roll_file.report import Report
from shared.roll_file.rows.columns import repeats_header
from shared.roll_file.rows.row import Cell, RollReader, Row
from shared.roll_file.rows.validation import FaultyRow, StagedRow, compile_validator
from shared.roll_file.writing.csv_export import is_disarmed, original_cells
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
    rows = _GoodRows(reader, rejections, ids)
    count = 0
    noted_at = time.monotonic()
    while not rows.are_exhausted:
        count += load.stage(rows.next_batch())
        _stage_rejected(rejections)
        if time.monotonic() - noted_at >= PROGRESS_SECONDS:
            percent = round(100 * fraction, 1) if (fraction := reader.fraction()) else None
            rows_read = count + rejections.count
            claims.note_progress(claim, Phase.READING, rows_read, percent)
            on_progress(Phase.READING, rows_read, percent)
            noted_at = time.monotonic()
    report = Report(rows_read=count + rejections.count, blank_rows=rows.blank_count)
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


class _GoodRows:
    """The good rows of a file, batch by batch.

    On the way, counts blank rows and repeated headers, and collects the rejected rows.
    """

    def __init__(self, reader: RollReader, rejections: Rejections, ids: Ids) -> None:
        self._header = reader.header
        self._warnings = reader.warnings
        self._rows = original_rows(reader)
        self._validate = compile_validator(reader.header)
        self._rejections = rejections
        self._ids = ids
        self.blank_count = 0
        self.are_exhausted = False

    def next_batch(self) -> Iterator[StagedRow]:
        """Yield good rows until the batch is full, or too many rejected rows wait to be staged."""
        ids, validate = self._ids, self._validate
        room = BATCH_ROWS
        for line, cells in self._rows:
            row = validate(line, cells)
            if isinstance(row, tuple):
                if row[1] <= ids.last:
                    ids.are_rising = False
                ids.last = row[1]
                yield row
                room -= 1
                if not room:
                    return
            elif row is None:
                self.blank_count += 1
            elif repeats_header(self._header, cells):
                self._warnings[WarningCode.REPEATED_HEADER] += 1
            else:
                self._reject(line, cells, row)
                if len(self._rejections.legible) >= MAX_WAITING_REJECTS:
                    return
        self.are_exhausted = True

    def _reject(self, line: int, cells: Sequence[Cell], row: FaultyRow) -> None:
        self._rejections.add(line, cells, row)
        if row.legible:
            self._ids.see(row.legible[1])


def original_rows(reader: RollReader) -> Iterator[Row]:
    """Return the rows as their file means them.

    The rows of an export or of a fixed rejects file are without what disarmed them.
    """
    labels = reader.header.labels
    if not is_disarmed(labels):
        return iter(reader)
    return ((line, original_cells(cells, labels, reader.format)) for line, cells in reader)
