"""Cells that have content and that calamine reads as blank, and how far a sheet reaches.

Calamine keeps a sheet as a grid from its first to its last cell, so a sheet of two cells can take
any amount of memory; whoever looks for unread cells says where each cell stands.
"""

from collections.abc import Mapping

from shared.roll.errors import RowCode
from shared.roll.limits import Limits
from shared.roll.rows import NoValue
from shared.roll.workbook_faults import too_large

# By row of the sheet and by column, both from 0.
UnreadCells = Mapping[int, Mapping[int, NoValue]]
# [MS-XLS] 2.5.10 and [MS-XLSB] 2.5.97.2: one byte for each error.
ERRORS = {
    0x00: "#NULL!",
    0x07: "#DIV/0!",
    0x0F: "#VALUE!",
    0x17: "#REF!",
    0x1D: "#NAME?",
    0x24: "#NUM!",
    0x2A: "#N/A",
    0x2B: "#GETTING_DATA",
}


class SheetLook:
    """What is known of one sheet so far."""

    def __init__(self, limits: Limits) -> None:
        self.unread: dict[int, dict[int, NoValue]] = {}
        self._max_cells = limits.max_grid_cells
        self._height = 0
        self._width = 0

    def reach(self, row: int, column: int) -> None:
        """There is a cell with content. Raises WORKBOOK_TOO_LARGE, and ValueError for a cell above
        the last one: calamine takes the first and the last cell for the ends of the grid."""
        if row + 1 < self._height:
            raise ValueError("rows out of order")
        self._height = row + 1
        self._width = max(self._width, column + 1)
        self.check_size(self._height, self._width)

    def check_size(self, rows: int, columns: int) -> None:
        """Raise WORKBOOK_TOO_LARGE for a grid that takes too much memory."""
        if rows * columns > self._max_cells:
            raise too_large("The sheet reaches over too many rows and columns.")

    def note_error(self, row: int, column: int, error: int | str) -> None:
        """The cell holds an Excel error, by its byte or its text."""
        text = error if isinstance(error, str) else ERRORS.get(error, "#UNKNOWN!")
        self.unread.setdefault(row, {})[column] = NoValue(RowCode.EXCEL_ERROR, text)

    def note_formula(self, row: int, column: int, formula: str) -> None:
        """The cell holds a formula that was saved without its result."""
        self.unread.setdefault(row, {})[column] = NoValue(RowCode.FORMULA_NO_VALUE, formula)
