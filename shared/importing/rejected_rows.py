"""Collect the rejected rows of one attempt: counts, first faults, and the rejects file."""

import heapq
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from itertools import islice
from types import TracebackType
from typing import Self
from uuid import uuid4

from shared.jobs.transitions import MAX_KEPT_FAULTS
from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.rows.row import Cell, Row
from shared.roll_file.rows.validation import FaultyRow, Legible
from shared.roll_file.writing.rejects import RejectsWriter, most_chars
from shared.staging.conflicts import conflict_faults
from shared.storage.store import UploadStore

COPY_BYTES = 256 * 1024


class Rejections:
    """The rejected rows: counts in memory, rows in a temporary file of this machine.

    The file goes to the store when the attempt is about to end. Memory does not grow with the
    number of rejected rows. `upload_bytes` limits the rejects file.
    """

    def __init__(self, labels: Sequence[str], unnamed: int = 0, upload_bytes: int = 0) -> None:
        self.count = 0
        self.errors: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()
        # The readable part of the rows since the last `take_legible`.
        self.legible: list[Legible] = []
        self._first_faults: list[RowError] = []
        self._conflicts: list[RowError] = []
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 - closed with this object
        self._text = TextIOWrapper(self._spool, "utf-8", "replace", newline="")
        self._writer = RejectsWriter(self._text, labels, unnamed, most_chars(upload_bytes))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._text.close()

    def add(self, line: int, cells: Sequence[Cell], row: FaultyRow) -> None:
        """Count one rejected row, once under each of its codes."""
        self.count += 1
        self.errors.update({error.code for error in row.errors})
        self.missing.update(row.missing)
        self._first_faults.extend(row.errors[: MAX_KEPT_FAULTS - len(self._first_faults)])
        self._writer.write(line, cells, row.errors)
        if row.legible:
            self.legible.append(row.legible)

    def take_legible(self) -> list[Legible]:
        """Return the readable rows, each only once."""
        legible, self.legible = self.legible, []
        return legible

    def add_conflicts(self, rows: Iterable[Row], column: str) -> None:
        """Count the contradicting rows that the database has found, and fetch their cells.

        `rows` are the rows of the file, read again. `column` is the label of the student id.
        """
        self._conflicts = list(islice(conflict_faults(column), MAX_KEPT_FAULTS))
        faults = conflict_faults(column)
        fault = next(faults, None)
        for line, cells in rows:
            if fault is None:
                return
            if line == fault.line:
                self.count += 1
                self.errors[RowCode.CONFLICTING_ROWS] += 1
                self._writer.write(line, cells, [fault])
                fault = next(faults, None)

    @property
    def assumptions(self) -> list[str]:
        """The sentence for the report if the rejects file does not hold all rejected rows."""
        return [self._writer.left_out_sentence] if self._writer.left_out else []

    def first_faults(self) -> Iterable[RowError]:
        """Return the faults to keep in the database, in the order of their lines."""
        faults = heapq.merge(self._first_faults, self._conflicts, key=lambda error: error.line)
        return islice(faults, MAX_KEPT_FAULTS)

    def store_in(self, store: UploadStore) -> str | None:
        """Put the rejects file into the upload store. Return its key, or None without any row."""
        if not self.count:
            return None
        key = uuid4().hex
        self._writer.finish()
        self._text.flush()
        self._spool.seek(0)
        with store.writer(key) as sink:
            while block := self._spool.read(COPY_BYTES):
                sink.write(block)
        return key
