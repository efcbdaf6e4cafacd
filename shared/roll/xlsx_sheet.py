"""The cells of one worksheet part, as a stream.

openpyxl builds an element tree of each row and leaves an empty element behind for every one it
has read, so one huge cell or a million empty rows fill the memory. This reads the same XML with
expat's events: nothing is kept but the row at hand, and every count is bounded.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import IO

from openpyxl.utils.datetime import from_excel, from_ISO8601

from shared.roll.errors import RowCode
from shared.roll.limits import Limits
from shared.roll.rows import Cell, NoValue
from shared.roll.xlsx_tables import CHUNK_BYTES, cell_too_long, make_parser, unescape

MAX_ROW = 1_048_576
MAX_COLUMN = 16_384
_DIGITS = "0123456789"


class SheetParser:
    """Turns the XML of a sheet into rows of (sheet row number, cells).

    Only rows with a value come out. `strings` is the table of shared strings, `date_styles` the
    indexes of the styles that show a number as a date, `epoch` the day such numbers count from.
    """

    def __init__(
        self,
        strings: Sequence[str],
        date_styles: Collection[int],
        epoch: datetime,
        limits: Limits,
    ) -> None:
        self.rows: list[tuple[int, list[Cell]]] = []
        self._strings = strings
        self._date_styles = {str(index) for index in date_styles}
        self._epoch = epoch
        self._max_chars = limits.max_field_chars
        self._row_number = 0
        self._cells: list[Cell] = []
        self._column = 0
        self._columns: dict[str, int] = {}
        self._type = "n"
        self._style = "0"
        self._formula: str | None = None
        self._value: str | None = None
        self._text = ""
        self._is_phonetic = False
        self._convert: dict[str, Callable[[str], Cell]] = {
            "n": self._number,
            "s": self._shared,
            "str": unescape,
            "inlineStr": unescape,
            "b": _boolean,
            "e": _error,
            "d": _iso_date,
        }
        self._parser = make_parser()
        self._parser.StartElementHandler = self._start_root

    def feed(self, data: bytes, *, is_last: bool = False) -> None:
        """Parse the next bytes of the part; `rows` then holds the rows that they complete."""
        self._parser.Parse(data, is_last)

    def _start_root(self, name: str, attributes: dict[str, str]) -> None:
        """Some writers prefix every element, the root and its cells alike."""
        prefix = name[: name.rfind(":") + 1]
        self._cell_tag = f"{prefix}c"
        self._value_tag = f"{prefix}v"
        self._row_tag = f"{prefix}row"
        self._phonetic_tag = f"{prefix}rPh"
        self._rarer_ends = {
            f"{prefix}t": self._end_inline,
            f"{prefix}f": self._end_formula,
            f"{prefix}rPh": self._end_phonetic,
            f"{prefix}row": self._end_row,
            f"{prefix}sheetData": self._end_data,
        }
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        # Whatever stood before this element is no part of its text.
        self._text = ""
        if name == self._cell_tag:
            self._start_cell(attributes)
        elif name == self._row_tag:
            self._start_row(attributes)
        elif name == self._phonetic_tag:
            self._is_phonetic = True

    def _end(self, name: str) -> None:
        if name == self._value_tag:
            self._value = self._text
        elif name == self._cell_tag:
            self._end_cell()
        elif action := self._rarer_ends.get(name):
            action()

    def _characters(self, data: str) -> None:
        self._text += data
        if len(self._text) > self._max_chars:
            raise cell_too_long()

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r")
        row = self._row_number + 1 if number is None else int(float(number))
        if not self._row_number < row <= MAX_ROW:
            raise ValueError(f"row {row} after row {self._row_number}")
        self._row_number = row
        self._cells = []
        self._column = 0

    def _end_row(self) -> None:
        if self._cells:
            self.rows.append((self._row_number, self._cells))

    def _start_cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            column = self._column + 1
        else:
            letters = reference.rstrip(_DIGITS)
            column = self._columns.get(letters) or self._column_of(letters)
        if not self._column < column <= MAX_COLUMN:
            raise ValueError(f"column {column} after column {self._column}")
        self._column = column
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "0")
        self._formula = self._value = None

    def _column_of(self, letters: str) -> int:
        column = 0
        for letter in letters[:4].upper():
            column = column * 26 + ord(letter) - 64
        self._columns[letters] = column
        return column

    def _end_cell(self) -> None:
        value = self._value
        cell: Cell
        if value:
            cell = self._convert[self._type](value)
        elif self._formula is not None and (value is None or self._type != "str"):
            cell = NoValue(RowCode.FORMULA_NO_VALUE, f"={self._formula}")
        else:
            return
        cells = self._cells
        gap = self._column - 1 - len(cells)
        if gap:
            cells.extend([None] * gap)
        cells.append(cell)

    def _end_inline(self) -> None:
        if not self._is_phonetic:
            self._value = (self._value or "") + self._text

    def _end_formula(self) -> None:
        self._formula = self._text

    def _end_phonetic(self) -> None:
        self._is_phonetic = False

    def _end_data(self) -> None:
        """What follows the cells is read without being looked at, for the sake of the zip's CRC."""
        self._parser.StartElementHandler = None
        self._parser.EndElementHandler = None
        self._parser.CharacterDataHandler = None

    def _shared(self, value: str) -> Cell:
        return self._strings[int(value)] or None

    def _number(self, value: str) -> Cell:
        number = float(value) if "." in value or "E" in value or "e" in value else int(value)
        if self._style not in self._date_styles:
            return number
        try:
            date: Cell = from_excel(number, self._epoch)
        except (OverflowError, ValueError):
            # Excel shows such a cell as a row of number signs.
            return NoValue(RowCode.EXCEL_ERROR, "#VALUE!")
        return date


def parse_part(part: IO[bytes], parser: SheetParser) -> Iterator[tuple[int, list[Cell]]]:
    """Feed the part and hand on the rows as they are complete; memory is that of one chunk."""
    while data := part.read(CHUNK_BYTES):
        parser.feed(data)
        yield from parser.rows
        parser.rows.clear()
    parser.feed(b"", is_last=True)


def _boolean(value: str) -> Cell:
    return value not in ("0", "false")


def _error(value: str) -> Cell:
    return NoValue(RowCode.EXCEL_ERROR, value)


def _iso_date(value: str) -> Cell:
    date: Cell = from_ISO8601(value)  # type: ignore[no-untyped-call]
    return date
