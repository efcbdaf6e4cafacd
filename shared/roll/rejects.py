"""The rejects file: every rejected row as it was, with its line and its faults, to be mended.

A spreadsheet program runs a cell that begins like a formula (OWASP, CSV Injection). Such a cell
gets an apostrophe in front here, and loses it again when the mended file comes back.
"""

import csv
import re
from collections.abc import Collection, Sequence
from typing import TextIO

from shared.roll.errors import RowCode, RowError
from shared.roll.fields import shown
from shared.roll.rows import Cell

LINE_COLUMN = "_line"
ERRORS_COLUMN = "_errors"
BOM = "\ufeff"
# What a workbook has lost would come back as good text: a rounded number, a date, a formula.
# Excel's own sign of a missing value stands in its place, which no field takes.
LOST_IN_EXCEL = (RowCode.ID_PRECISION_LOST, RowCode.DATE_NOT_TEXT, RowCode.FORMULA_NO_VALUE)
LOST_VALUE = "#N/A"
_FORMULA_LIKE = re.compile(r"'*[=+\-@\t\r]")
_DISARMED = re.compile(r"'+[=+\-@\t\r]")


class RejectsWriter:
    """Writes the rejects file into a text stream opened with newline="" and UTF-8.

    `count` is the number of rows written so far; the header comes with the first.
    """

    def __init__(self, file: TextIO, labels: Sequence[str]) -> None:
        self._file = file
        self._writer = csv.writer(file)
        self._labels = labels
        self.count = 0

    def write(self, line: int, cells: Sequence[Cell], errors: Collection[RowError]) -> None:
        """Add a row: the file's own columns, then `_line` and `_errors`, then cells too many."""
        if not self.count:
            self._file.write(BOM)
            self._writer.writerow([*map(disarm, self._labels), LINE_COLUMN, ERRORS_COLUMN])
        self.count += 1
        texts = [disarm(shown(cell)) for cell in cells]
        for error in errors:
            if error.code in LOST_IN_EXCEL:
                texts[self._labels.index(error.column)] = LOST_VALUE
        width = len(self._labels)
        missing = [""] * (width - len(texts))
        self._writer.writerow([*texts[:width], *missing, line, _sentences(errors), *texts[width:]])


def is_rejects_file(labels: Sequence[str]) -> bool:
    """Whether a header is one that `RejectsWriter` has written."""
    return {LINE_COLUMN, ERRORS_COLUMN} <= set(labels)


def disarm(text: str) -> str:
    """The text with an apostrophe in front if a spreadsheet program might run it."""
    return f"'{text}" if _FORMULA_LIKE.match(text) else text


def arm(text: str) -> str:
    """What `disarm` was given."""
    return text[1:] if _DISARMED.match(text) else text


def _sentences(errors: Collection[RowError]) -> str:
    return " | ".join(
        f"{error.column}: {error.code}. {error.message}"
        if error.column
        else f"{error.code}. {error.message}"
        for error in errors
    )
