"""Write the rejects file: every rejected row as it was, with its line and faults, to be fixed.

Officers open it in a spreadsheet program, so all of its cells are disarmed. The import arms them
again when the fixed file comes back.

The size has a limit, because some files would make a rejects file of a thousand times their size.
One kind has short rows below a wide header. Another shows a long text in many cells.
"""

import csv
from collections.abc import Collection, Sequence
from typing import TextIO

from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.rows.cells import readable
from shared.roll_file.rows.columns import recognise
from shared.roll_file.rows.row import Cell
from shared.roll_file.writing.disarming import arm, disarm

LINE_COLUMN = "_line"
ERRORS_COLUMN = "_errors"
BOM = "\ufeff"
# A rounded number, a date or a formula would come back as good text. The rejects file has Excel's
# own mark for a missing value in its place, which no field accepts.
LOST_IN_EXCEL = (RowCode.ID_PRECISION_LOST, RowCode.DATE_NOT_TEXT, RowCode.FORMULA_NO_VALUE)
LOST_VALUE = "#N/A"
# The size limit of a rejects file. An ordinary row with a sentence for each of its faults takes
# less.
FREE_CHARS = 4 * 1024 * 1024
CHARS_PER_BYTE = 16


def most_chars(upload_bytes: int) -> int:
    """Return the size limit, in characters, of the rejects file of an upload."""
    return FREE_CHARS + CHARS_PER_BYTE * upload_bytes


class RejectsWriter:
    """Write the rejects file into a text stream opened with newline="" and UTF-8.

    `count` is the number of rows written so far. The header is written with the first row. If the
    upload is itself a rejects file, new lines and faults replace the old ones. `unnamed` columns
    without a label follow those of `labels`.

    Above half of `max_chars`, only the code of a fault is written. `left_out` counts rows for which
    there is no room.
    """

    def __init__(
        self,
        file: TextIO,
        labels: Sequence[str],
        unnamed: int = 0,
        max_chars: int = most_chars(0),
    ) -> None:
        self._file = _BoundedText(file, max_chars)
        self._writer = csv.writer(self._file)
        self._labels = labels
        self._unnamed = unnamed
        self._is_again = is_rejects_file(labels)
        self._other_columns = [
            index
            for index, label in enumerate(labels)
            if not (self._is_again and label in (LINE_COLUMN, ERRORS_COLUMN))
        ]
        columns = recognise(labels).values()
        self._end_of_fields = max(
            (index + 1 for indexes in columns for index in indexes), default=0
        )
        self.count = 0
        self.left_out = 0
        self._has_header = False

    def write(self, line: int, cells: Sequence[Cell], errors: Collection[RowError]) -> None:
        """Write a row: the file's own columns, then `_line` and `_errors`, then surplus cells."""
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
        """Write a last row with the number of rows left out, if there are any."""
        if self.left_out:
            self._begin()
            blank = [""] * (len(self._other_columns) + self._unnamed + 1)
            self._writer.writerow([*blank, self.left_out_sentence])

    def _begin(self) -> None:
        if not self._has_header:
            self._file.write(BOM)
            self._writer.writerow([*self._shown_labels(), LINE_COLUMN, ERRORS_COLUMN])
            self._has_header = True

    @property
    def left_out_sentence(self) -> str:
        """The sentence in the file and in the report about the rows left out."""
        return (
            f"The rejects file has no room for {self.left_out:,} more rejected rows. Fix"
            " the rows in it, or fix the original file."
        )

    def _row(
        self,
        line: int,
        cells: Sequence[Cell],
        errors: Collection[RowError],
        absent: Sequence[str],
        sentences: str,
    ) -> list[str]:
        texts = [disarm(readable(cell)) for cell in cells]
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
        own = [texts[index] for index in self._other_columns]
        return [*own, *unnamed, str(line), sentences, *more]

    def _shown_labels(self) -> list[str]:
        labels = [self._labels[index] for index in self._other_columns]
        shown_labels = [disarm(arm(label) if self._is_again else label) for label in labels]
        return [*shown_labels, *[""] * self._unnamed]


class _BoundedText:
    """A text stream that knows how much room it has left."""

    def __init__(self, file: TextIO, max_chars: int) -> None:
        self._file = file
        self._max_chars = max_chars
        self._chars = 0

    def write(self, text: str) -> None:
        """Write the text, even if there is no room."""
        self._file.write(text)
        self._chars += len(text)

    def has_room(self, chars: int) -> bool:
        """Whether this many characters still fit."""
        return self._chars + chars <= self._max_chars

    @property
    def is_half_full(self) -> bool:
        """Whether more than half of the room is used."""
        return 2 * self._chars > self._max_chars


def is_rejects_file(labels: Sequence[str]) -> bool:
    """Whether `RejectsWriter` wrote this header."""
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
