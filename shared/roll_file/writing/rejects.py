"""The rejects file: every rejected row as it was, with its line and its faults, to be mended.

Officers open it in a spreadsheet program, so all of its cells are disarmed; they are armed again
when the mended file comes back. A file of short rows below a wide header, and one that shows a long
text in many cells, would make a rejects file of a thousand times its size, so there is a limit.
"""

import csv
from collections.abc import Collection, Sequence
from typing import TextIO

from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.rows.cells import shown
from shared.roll_file.rows.columns import recognise
from shared.roll_file.rows.row import Cell
from shared.roll_file.writing.disarming import arm, disarm

LINE_COLUMN = "_line"
ERRORS_COLUMN = "_errors"
BOM = "\ufeff"
# What a workbook has lost would come back as good text: a rounded number, a date, a formula.
# Excel's own sign of a missing value stands in its place, which no field takes.
LOST_IN_EXCEL = (RowCode.ID_PRECISION_LOST, RowCode.DATE_NOT_TEXT, RowCode.FORMULA_NO_VALUE)
LOST_VALUE = "#N/A"
# How large a rejects file may become: a good row of its upload and a sentence for each of its
# faults take less.
FREE_CHARS = 4 * 1024 * 1024
CHARS_PER_BYTE = 16


def most_chars(upload_bytes: int) -> int:
    """The limit of the rejects file of an upload."""
    return FREE_CHARS + CHARS_PER_BYTE * upload_bytes


class RejectsWriter:
    """Writes the rejects file into a text stream opened with newline="" and UTF-8.

    `count` is the number of rows written so far; the header comes with the first. The rejects of
    a rejects file get lines and faults of their own in place of the old ones. `unnamed` columns
    without a label stand behind those of `labels`. Above half of `max_chars`, a fault is its code
    alone; rows for which there is no room are counted in `left_out`.
    """

    def __init__(
        self,
        file: TextIO,
        labels: Sequence[str],
        unnamed: int = 0,
        max_chars: int = most_chars(0),
    ) -> None:
        self._file = _Bounded(file, max_chars)
        self._writer = csv.writer(self._file)
        self._labels = labels
        self._unnamed = unnamed
        self._is_again = is_rejects_file(labels)
        self._kept = [
            index
            for index, label in enumerate(labels)
            if not (self._is_again and label in (LINE_COLUMN, ERRORS_COLUMN))
        ]
        columns = recognise(labels).values()
        self._end_of_fields = max((index + 1 for found in columns for index in found), default=0)
        self.count = 0
        self.left_out = 0
        self._has_header = False

    def write(self, line: int, cells: Sequence[Cell], errors: Collection[RowError]) -> None:
        """Add a row: the file's own columns, then `_line` and `_errors`, then cells too many."""
        absent = self._labels[len(cells) :]
        text_chars = sum(len(cell) for cell in cells if isinstance(cell, str))
        if not self._file.has_room(text_chars + len(absent) * (len(LOST_VALUE) + 1)):
            self.left_out += 1
            return
        self._begin()
        sentences = _codes(errors) if self._file.is_half_full else _sentences(errors)
        row = self._row(line, cells, errors, absent, disarm(sentences))
        if not self._file.has_room(sum(map(len, row), len(row))):
            self.left_out += 1
            return
        self._writer.writerow(row)
        self.count += 1

    def finish(self) -> None:
        """Say in a last row how many rows were left out, if any were."""
        if self.left_out:
            self._begin()
            blank = [""] * (len(self._kept) + self._unnamed + 1)
            self._writer.writerow([*blank, self.left_out_sentence])

    def _begin(self) -> None:
        if not self._has_header:
            self._file.write(BOM)
            self._writer.writerow([*self._shown_labels(), LINE_COLUMN, ERRORS_COLUMN])
            self._has_header = True

    @property
    def left_out_sentence(self) -> str:
        """What the file and the report say of the rows that were left out."""
        return (
            f"The rejects file has no room for {self.left_out:,} more rejected rows."
            " Correct the rows that it holds, or correct the original file."
        )

    def _row(
        self,
        line: int,
        cells: Sequence[Cell],
        errors: Collection[RowError],
        absent: Sequence[str],
        sentences: str,
    ) -> list[str]:
        texts = [disarm(shown(cell)) for cell in cells]
        for error in errors:
            if error.code in LOST_IN_EXCEL:
                texts[self._labels.index(error.column)] = LOST_VALUE
        width = len(self._labels)
        unnamed = texts[width : width + self._unnamed]
        unnamed += [""] * (self._unnamed - len(unnamed))
        more = texts[width + self._unnamed :]
        if absent:
            texts += [LOST_VALUE] * len(absent)
            more = [] if len(cells) < self._end_of_fields else [LOST_VALUE]
        own = [texts[index] for index in self._kept]
        return [*own, *unnamed, str(line), sentences, *more]

    def _shown_labels(self) -> list[str]:
        labels = [self._labels[index] for index in self._kept]
        shown_labels = [disarm(arm(label) if self._is_again else label) for label in labels]
        return [*shown_labels, *[""] * self._unnamed]


class _Bounded:
    """A text stream that knows how much room is left in it."""

    def __init__(self, file: TextIO, max_chars: int) -> None:
        self._file = file
        self._max_chars = max_chars
        self._chars = 0

    def write(self, text: str) -> None:
        """Write it, also when there is no room."""
        self._file.write(text)
        self._chars += len(text)

    def has_room(self, chars: int) -> bool:
        """Whether so many characters still fit."""
        return self._chars + chars <= self._max_chars

    @property
    def is_half_full(self) -> bool:
        """Whether the second half has begun."""
        return 2 * self._chars > self._max_chars


def is_rejects_file(labels: Sequence[str]) -> bool:
    """Whether a header is one that `RejectsWriter` has written."""
    return {LINE_COLUMN, ERRORS_COLUMN} <= set(labels)


def _codes(errors: Collection[RowError]) -> str:
    return " | ".join(error.code for error in errors)


def _sentences(errors: Collection[RowError]) -> str:
    return " | ".join(
        f"{error.column}: {error.code}. {error.message}"
        if error.column
        else f"{error.code}. {error.message}"
        for error in errors
    )
