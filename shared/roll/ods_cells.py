"""A look at the cells of an OpenDocument spreadsheet (.ods; ODF 1.3 part 3, 9.1)."""

from collections.abc import Mapping
from typing import NoReturn
from xml.parsers import expat
from zipfile import ZipFile

from shared.roll.limits import Limits
from shared.roll.unread_cells import SheetLook, UnreadCells
from shared.roll.workbook_faults import password_protected, too_large

CONTENT = "content.xml"
MANIFEST = "META-INF/manifest.xml"
_CELLS = ("table:table-cell", "table:covered-table-cell")


def look_at_ods(archive: ZipFile, limits: Limits) -> dict[int, UnreadCells]:
    """The unread cells of every sheet, by its number.

    Memory is flat. Raises `FileFault` WORKBOOK_TOO_LARGE, and what zipfile and expat raise for
    damage.
    """
    if archive.getinfo(CONTENT).file_size > limits.max_ods_bytes:
        raise too_large(
            f"The content of an .ods file may unpack to at most {limits.max_ods_bytes:,} bytes;"
            " saved as .xlsx it may have more."
        )
    if MANIFEST in archive.NameToInfo and b"encryption-data" in archive.read(MANIFEST):
        raise password_protected()
    content = _Content(limits)
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.StartElementHandler = content.start
    parser.EndElementHandler = content.end
    parser.CharacterDataHandler = content.text
    with archive.open(CONTENT) as part:
        parser.ParseFile(part)
    return {number: look.unread for number, look in enumerate(content.looks)}


def _refuse_doctype(*_: object) -> NoReturn:
    raise ValueError("a document type")


class _Content:
    """Where the parser stands. Rows and cells may stand for many: `number-rows-repeated`."""

    def __init__(self, limits: Limits) -> None:
        self.looks: list[SheetLook] = []
        self._limits = limits
        self._row = self._row_count = 0
        self._column = self._column_count = 0
        self._last_column = -1
        self._is_error = False
        self._error_text = ""
        self._found: list[tuple[int, str, bool]] = []

    def start(self, name: str, attributes: Mapping[str, str]) -> None:
        if name in _CELLS:
            self._start_cell(attributes)
        elif name == "table:table-row":
            self._row_count = int(attributes.get("table:number-rows-repeated", 1))
            self._column = 0
            self._last_column = -1
            self._found.clear()
        elif name == "table:table":
            self.looks.append(SheetLook(self._limits))
            self._row = 0

    def _start_cell(self, attributes: Mapping[str, str]) -> None:
        self._column_count = int(attributes.get("table:number-columns-repeated", 1))
        has_value = "office:value-type" in attributes
        if has_value:
            self._last_column = self._column + self._column_count - 1
        if attributes.get("calcext:value-type") == "error":
            self._is_error = True
        elif "table:formula" in attributes and not has_value:
            self._last_column = self._column + self._column_count - 1
            self._note(attributes["table:formula"], is_error=False)

    def _note(self, text: str, *, is_error: bool) -> None:
        # Before a repeated cell is taken apart, what it reaches to must be allowed.
        self.looks[-1].reach(self._row + self._row_count - 1, self._last_column)
        columns = range(self._column, self._column + self._column_count)
        self._found += [(column, text, is_error) for column in columns]

    def text(self, text: str) -> None:
        if self._is_error and len(self._error_text) < 20:
            self._error_text += text.strip()

    def end(self, name: str) -> None:
        if name in _CELLS:
            if self._is_error:
                self._note(self._error_text or "#VALUE!", is_error=True)
                self._is_error = False
                self._error_text = ""
            self._column += self._column_count
        elif name == "table:table-row":
            self._end_row()

    def _end_row(self) -> None:
        look = self.looks[-1]
        if self._last_column >= 0:
            look.reach(self._row + self._row_count - 1, self._last_column)
        for row in range(self._row, self._row + self._row_count if self._found else self._row):
            for column, text, is_error in self._found:
                note = look.note_error if is_error else look.note_formula
                note(row, column, text)
        self._row += self._row_count
