"""The rejects file: every rejected row as it was, with its line and its faults, to be mended.

Officers open it in a spreadsheet program, so all of its cells are disarmed; they are armed again
when the mended file comes back.
"""

import csv
from collections.abc import Collection, Sequence
from typing import TextIO

from shared.roll.columns import recognise
from shared.roll.disarming import arm, disarm
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


class RejectsWriter:
    """Writes the rejects file into a text stream opened with newline="" and UTF-8.

    `count` is the number of rows written so far; the header comes with the first. The rejects of
    a rejects file get lines and faults of their own in place of the old ones. `unnamed` columns
    without a label stand behind those of `labels`.
    """

    def __init__(self, file: TextIO, labels: Sequence[str], unnamed: int = 0) -> None:
        self._file = file
        self._writer = csv.writer(file)
        self._labels = labels
        self._unnamed = unnamed
        self._is_again = is_rejects_file(labels)
        self._kept = [
            index
            for index, label in enumerate(labels)
            if not (self._is_again and label in (LINE_COLUMN, ERRORS_COLUMN))
        ]
        self.count = 0

    def write(self, line: int, cells: Sequence[Cell], errors: Collection[RowError]) -> None:
        """Add a row: the file's own columns, then `_line` and `_errors`, then cells too many."""
        if not self.count:
            self._file.write(BOM)
            self._writer.writerow([*self._shown_labels(), LINE_COLUMN, ERRORS_COLUMN])
        self.count += 1
        texts = [disarm(shown(cell)) for cell in cells]
        for error in errors:
            if error.code in LOST_IN_EXCEL:
                texts[self._labels.index(error.column)] = LOST_VALUE
        width = len(self._labels)
        unnamed = texts[width : width + self._unnamed]
        unnamed += [""] * (self._unnamed - len(unnamed))
        more = texts[width + self._unnamed :]
        if absent := self._labels[len(texts) :]:
            texts += [LOST_VALUE] * len(absent)
            more = [] if recognise(absent) else [LOST_VALUE]
        own = [texts[index] for index in self._kept]
        self._writer.writerow([*own, *unnamed, line, disarm(_sentences(errors)), *more])

    def _shown_labels(self) -> list[str]:
        labels = [self._labels[index] for index in self._kept]
        shown_labels = [disarm(arm(label) if self._is_again else label) for label in labels]
        return [*shown_labels, *[""] * self._unnamed]


def is_rejects_file(labels: Sequence[str]) -> bool:
    """Whether a header is one that `RejectsWriter` has written."""
    return {LINE_COLUMN, ERRORS_COLUMN} <= set(labels)


def _sentences(errors: Collection[RowError]) -> str:
    return " | ".join(
        f"{error.column}: {error.code}. {error.message}"
        if error.column
        else f"{error.code}. {error.message}"
        for error in errors
    )
