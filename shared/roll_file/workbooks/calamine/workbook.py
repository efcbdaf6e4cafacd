"""A workbook opened by calamine: quick, but a whole sheet in memory.

Calamine reads an error as a blank cell, so those who open a workbook with it have looked for the
errors before and hand them in.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Any, BinaryIO, cast

from python_calamine import CalamineSheet, SheetTypeEnum, SheetVisibleEnum
from python_calamine import CalamineWorkbook as Calamine

from shared.roll_file.rows.row import Cell, NoValue, Row
from shared.roll_file.workbooks.calamine.unread_cells import UnreadCells
from shared.roll_file.workbooks.damage import damage_is_a_fault
from shared.roll_file.workbooks.interface import Sheet

NONE_UNREAD: Mapping[int, UnreadCells] = MappingProxyType({})


class CalamineWorkbook:
    """A workbook of any format that calamine knows.

    `unread` holds, by number of the sheet, the cells that have content and read as blank. Memory
    is the file's size, its shared strings, and the cells of the sheet being read. Raises
    `FileFault`: UNREADABLE_FILE, PASSWORD_PROTECTED.
    """

    def __init__(self, stream: BinaryIO, unread: Mapping[int, UnreadCells] = NONE_UNREAD) -> None:
        stream.seek(0)
        with damage_is_a_fault():
            self._book = Calamine.from_filelike(stream)
        self._unread = unread

    @property
    def sheets(self) -> Sequence[Sheet]:
        """The worksheets in their order; charts and dialogs are none."""
        return [
            Sheet(sheet.name, sheet.visible == SheetVisibleEnum.Visible)
            for sheet in self._book.sheets_metadata
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def rows(self, title: str) -> "CalamineRows":
        """Load a sheet."""
        with damage_is_a_fault():
            sheet = self._book.get_sheet_by_name(title)
        return CalamineRows(sheet, self._unread.get(self._book.sheet_names.index(title), {}))

    def close(self) -> None:
        """Let go of the workbook; the stream stays the caller's."""
        self._book.close()


class CalamineRows:
    """The rows of a loaded sheet that hold a value."""

    def __init__(self, sheet: CalamineSheet, unread: UnreadCells) -> None:
        self._sheet = sheet
        self._unread = unread
        self._left = (None,) * (sheet.start[1] if sheet.start else 0)
        self._line = 0
        self._rows = self._read()

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fraction(self) -> float:
        """0 to 1, by the rows."""
        return self._line / max(self._sheet.total_height + 1, self._line, 1)

    def close(self) -> None:
        """Nothing is held open."""

    def _read(self) -> Iterator[Row]:
        for index, values in enumerate(self._sheet.iter_rows()):
            self._line = index + 1
            cells = [*self._left, *map(_cell, values)]
            if index in self._unread:
                cells = _with_unread(cells, self._unread[index])
            if cells.count(None) != len(cells):
                yield self._line, cells


def _cell(value: Any) -> Cell:
    """The value as openpyxl gives it: None for a blank, whole numbers as such."""
    if type(value) is str:
        return value or None
    if type(value) is float and value.is_integer():
        return int(value)
    if type(value) is date:
        return datetime.combine(value, time())
    return cast(Cell, value)


def _with_unread(cells: list[Cell], unread: Mapping[int, NoValue]) -> list[Cell]:
    whole = [*cells, *[None] * (max(unread) + 1 - len(cells))]
    for column, value in unread.items():
        whole[column] = value
    return whole
