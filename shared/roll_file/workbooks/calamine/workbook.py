"""A workbook opened by calamine, which is fast but keeps a whole sheet in memory.

Calamine reads an error as a blank cell. The caller therefore scans for errors first and passes them
in.
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

    `unread` has the cells with content that calamine reads as blank, by sheet number. Memory is the
    size of the file, its shared strings, and the cells of the sheet being read. Raises `FileFault`:
    UNREADABLE_FILE, PASSWORD_PROTECTED.
    """

    def __init__(self, stream: BinaryIO, unread: Mapping[int, UnreadCells] = NONE_UNREAD) -> None:
        stream.seek(0)
        with damage_is_a_fault():
            self._book = Calamine.from_filelike(stream)
        self._unread = unread

    @property
    def sheets(self) -> Sequence[Sheet]:
        """The worksheets in their order, without charts and dialogs."""
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
        """Release the workbook. The caller owns the stream."""
        self._book.close()


class CalamineRows:
    """The rows of a loaded sheet that have a value."""

    def __init__(self, sheet: CalamineSheet, unread: UnreadCells) -> None:
        self._sheet = sheet
        self._unread = unread
        self._blank_cells = (None,) * (sheet.start[1] if sheet.start else 0)
        self._line = 0
        self._rows = self._read()

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fraction(self) -> float:
        """Return the fraction that has been read, 0 to 1, counted in rows."""
        return self._line / max(self._sheet.total_height + 1, self._line, 1)

    def close(self) -> None:
        """Do nothing, because nothing is open."""

    def _read(self) -> Iterator[Row]:
        for index, values in enumerate(self._sheet.iter_rows()):
            self._line = index + 1
            cells = [*self._blank_cells, *map(_cell, values)]
            if index in self._unread:
                cells = _with_unread(cells, self._unread[index])
            if cells.count(None) != len(cells):
                yield self._line, cells


def _cell(value: Any) -> Cell:
    """Return the value as openpyxl gives it: None for a blank, int for a whole number."""
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
