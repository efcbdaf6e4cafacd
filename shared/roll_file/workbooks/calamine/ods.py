"""Scan the cells of an OpenDocument spreadsheet (.ods, ODF 1.3 part 3, 9.1)."""

from collections.abc import Mapping
from typing import NoReturn
from xml.parsers import expat
from zipfile import ZipFile

from shared.roll_file.limits import Limits
from shared.roll_file.workbooks.calamine.unread_cells import SheetLook, UnreadCells, WorkbookLook
from shared.roll_file.workbooks.faults import password_protected, too_large

CONTENT = "content.xml"
MANIFEST = "META-INF/manifest.xml"
_CELLS = ("table:table-cell", "table:covered-table-cell")
# Calamine takes any of these attributes for a value, regardless of the stated type of the cell.
_VALUES = frozenset(
    f"office:{name}"
    for name in ("value-type", "value", "string-value", "date-value", "time-value", "boolean-value")
)


def look_at_ods(archive: ZipFile, limits: Limits) -> dict[int, UnreadCells]:
    """Return the unread cells of every sheet, by sheet number.

    Memory is constant. Raises `FileFault` WORKBOOK_TOO_LARGE and PASSWORD_PROTECTED, and what
    zipfile and expat raise for damage.
    """
    if archive.getinfo(CONTENT).file_size > limits.max_ods_bytes:
        raise too_large(
            f"The content of an .ods file may unpack to at most {limits.max_ods_bytes:,}"
            " bytes. An .xlsx file may have more."
        )
    if MANIFEST in archive.NameToInfo:
        if archive.getinfo(MANIFEST).file_size > limits.max_small_part_bytes:
            raise too_large("The list of the parts of the .ods file is too long.")
        if b"encryption-data" in archive.read(MANIFEST):
            raise password_protected()
    content = _Content(limits)
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = content.start
    parser.EndElementHandler = content.end
    parser.CharacterDataHandler = content.text
    with archive.open(CONTENT) as part:
        parser.ParseFile(part)
    return content.workbook.unread


def _refuse_doctype(*_: object) -> NoReturn:
    raise ValueError("a document type")


class _Content:
    """The position of the parser in the content.

    One row or cell element may represent many (`number-rows-repeated`).
    """

    def __init__(self, limits: Limits) -> None:
        self.workbook = WorkbookLook(limits)
        self._max_text_bytes = limits.max_cell_bytes
        self._look: SheetLook | None = None
        self._row = self._row_count = 0
        self._column = self._column_count = 0
        self._last_column = -1
        self._is_error = False
        self._error_text = ""
        self._cells: list[tuple[int, str, bool]] = []
        self._text_bytes = self._space_count = 0

    @property
    def _sheet(self) -> SheetLook:
        if self._look is None:
            raise ValueError("a row outside of any table")
        return self._look

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in _CELLS:
            self._start_cell(attributes)
        elif name == "text:s":
            self._space_count += _count(attributes, "text:c")
        elif name == "table:table-row":
            self._row_count = _count(attributes, "table:number-rows-repeated")
            self._column = 0
            self._last_column = -1
            self._cells.clear()
        elif name == "table:table":
            self._look = self.workbook.add_sheet()
            self._row = 0

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        self._column_count = _count(attributes, "table:number-columns-repeated")
        self._space_count = 0
        self._text_bytes = sum(map(_size_bytes, attributes.values()))
        has_value = not _VALUES.isdisjoint(attributes)
        if has_value:
            self._last_column = self._column + self._column_count - 1
        if attributes.get("calcext:value-type") == "error":
            self._is_error = True
        elif "table:formula" in attributes and not has_value:
            self._last_column = self._column + self._column_count - 1
            self._note(attributes["table:formula"], is_error=False)

    def _note(self, text: str, *, is_error: bool) -> None:
        # The extent must be allowed before a repeated cell is expanded.
        self._sheet.reach(self._row + self._row_count - 1, self._last_column)
        columns = range(self._column, self._column + self._column_count)
        self._cells += [(column, text, is_error) for column in columns]

    def text(self, text: str) -> None:
        self._text_bytes += _size_bytes(text)
        if self._is_error and len(self._error_text) < 20:
            self._error_text += text.strip()

    def end(self, name: str) -> None:
        if name in _CELLS:
            if self._is_error:
                self._note(self._error_text or "#VALUE!", is_error=True)
                self._is_error = False
                self._error_text = ""
            self._end_text()
            self._column += self._column_count
        elif name == "table:table-row":
            self._end_row()

    def _end_text(self) -> None:
        """Check the size of the text of a cell.

        One space element may represent many spaces, as with cells and rows. None of them may expand
        to too much text.
        """
        text_bytes = self._text_bytes + self._space_count
        if text_bytes > self._max_text_bytes:
            raise too_large("A cell of the workbook has more text than Excel allows.")
        if self._last_column >= self._column:
            copies = self._column_count * self._row_count - 1
            self.workbook.count_copied(self._space_count + copies * text_bytes)

    def _end_row(self) -> None:
        look = self._sheet
        if self._last_column >= 0:
            look.reach(self._row + self._row_count - 1, self._last_column)
        for row in range(self._row, self._row + self._row_count if self._cells else self._row):
            for column, text, is_error in self._cells:
                note = look.note_error if is_error else look.note_formula
                note(row, column, text)
        self._row += self._row_count


def _count(attributes: Mapping[str, str], name: str) -> int:
    """Return how many elements this one represents."""
    count = int(attributes.get(name, 1))
    if count < 0:
        raise ValueError(f"{name} is {count}")
    return count


def _size_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())
