"""Record the extent of each sheet, and the cells with content that calamine reads as blank.

Calamine keeps a sheet as a grid from its first to its last cell. A sheet of two cells can therefore
take any amount of memory. A scan for unread cells reports where each cell is.
"""

from collections.abc import Mapping

from shared.roll_file.errors import RowCode
from shared.roll_file.limits import Limits
from shared.roll_file.rows.row import NoValue
from shared.roll_file.workbooks.faults import too_large

# By row of the sheet, then by column, both from 0.
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


class WorkbookLook:
    """What a scan has found so far in the sheets of one workbook, and their total size.

    Calamine keeps all sheets of an .xls or .ods. It copies a text into every cell that shows it.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._sheets: list[SheetLook] = []
        self._unread_count = 0
        self._copied_bytes = 0

    def add_sheet(self) -> "SheetLook":
        """Start the next sheet. Raises WORKBOOK_TOO_LARGE if there are too many sheets."""
        self.check_sheets(len(self._sheets) + 1)
        earlier_cells = sum(sheet.cells for sheet in self._sheets)
        sheet = SheetLook(self, self._limits.max_grid_cells - earlier_cells)
        self._sheets.append(sheet)
        return sheet

    @property
    def unread(self) -> dict[int, UnreadCells]:
        """The unread cells, by sheet number."""
        return {number: sheet.unread for number, sheet in enumerate(self._sheets)}

    def check_sheets(self, count: int) -> None:
        """Raise WORKBOOK_TOO_LARGE if this is too many sheets."""
        if count > self._limits.max_sheets:
            raise too_large(f"The workbook has more than {self._limits.max_sheets} sheets.")

    def count_unread(self, cells: int) -> None:
        """Add to the count of unread cells. Raises WORKBOOK_TOO_LARGE if there are too many."""
        self._unread_count += cells
        if self._unread_count > self._limits.max_unread_cells:
            raise too_large("Too many cells of the workbook have an error or an unsaved result.")

    def count_copied(self, text_bytes: int) -> None:
        """Add to the bytes of text that calamine copies. Raises WORKBOOK_TOO_LARGE if too many."""
        self._copied_bytes += text_bytes
        if self._copied_bytes > self._limits.max_copied_text_bytes:
            raise too_large("The cells of the workbook repeat too much text.")


class SheetLook:
    """What a scan has found so far in one sheet. `room` is the largest allowed number of cells."""

    def __init__(self, workbook: WorkbookLook, room: int) -> None:
        self.unread: dict[int, dict[int, NoValue]] = {}
        self._workbook = workbook
        self._room = room
        self._height = 0
        self._width = 0

    @property
    def cells(self) -> int:
        """The number of cells in the extent of the sheet."""
        return self._height * self._width

    def reach(self, row: int, column: int) -> None:
        """Extend the sheet to a cell with content.

        Raises WORKBOOK_TOO_LARGE. Raises ValueError for a cell above the previous one, because
        calamine takes the first and the last cell for the ends of the grid.
        """
        if row + 1 < self._height:
            raise ValueError("rows out of order")
        self._height = row + 1
        self._width = max(self._width, column + 1)
        self.check_size(self._height, self._width)

    def check_size(self, rows: int, columns: int) -> None:
        """Raise WORKBOOK_TOO_LARGE if the grid takes too much memory."""
        if rows * columns > self._room:
            raise too_large("The sheets reach over too many rows and columns.")

    def note_error(self, row: int, column: int, error: int | str) -> None:
        """Record that the cell has an Excel error, given by its byte or its text."""
        text = error if isinstance(error, str) else ERRORS.get(error, "#UNKNOWN!")
        self._note(row, column, NoValue(RowCode.EXCEL_ERROR, text))

    def note_formula(self, row: int, column: int, formula: str) -> None:
        """Record that the cell has a formula that was saved without its result."""
        self._note(row, column, NoValue(RowCode.FORMULA_NO_VALUE, formula))

    def _note(self, row: int, column: int, value: NoValue) -> None:
        self._workbook.count_unread(1)
        self.unread.setdefault(row, {})[column] = value
