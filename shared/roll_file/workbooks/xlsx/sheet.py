"""Stream the rows of one sheet with openpyxl's parser."""

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, BinaryIO
from zipfile import ZipFile, ZipInfo

from openpyxl.worksheet._reader import FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.functions import iterparse

from shared.roll_file.errors import RowCode
from shared.roll_file.rows.columns import MAX_COLUMNS, too_many_columns
from shared.roll_file.rows.row import Cell, NoValue, Row
from shared.roll_file.workbooks.damage import damage_is_a_fault
from shared.roll_file.workbooks.xlsx.styles import CellFormats

# ECMA-376 part 1, 22.9.2.19: how a string of a workbook spells a character that XML cannot have.
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")

_ParsedRow = tuple[int, list[dict[str, Any]]]


class _Parser(WorkSheetParser):
    """A parser of rows only. Parsing the other parts of a sheet could take long."""

    def parse(self) -> Generator[_ParsedRow, None, None]:
        """Yield each row with its number."""
        element: Any
        for _, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                yield self.parse_row(element)
                element.clear()


class _FormulaParser(_Parser):
    """A parser for a sheet with formulas, whose results may be missing."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        """Parse a cell. A formula without a result becomes a `NoValue`.

        A formula whose result is an empty text is a blank cell. A shared formula has its text only
        in its first cell. Working it out for the others would take the length of the text for each
        cell.
        """
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["value"] is None and cell["data_type"] != "str":
            formula = element.find(FORMULA_TAG)
            if formula is not None:
                cell["value"] = NoValue(RowCode.FORMULA_NO_VALUE, f"={formula.text or ''}")
        return cell


@dataclass(frozen=True, slots=True)
class SheetPart:
    """The part of a sheet, and what its cells refer to in the workbook."""

    archive: ZipFile
    member: ZipInfo
    strings: Sequence[str]
    epoch: datetime
    formats: CellFormats
    has_formulas: bool
    has_escapes: bool

    def rows(self, content: IO[bytes]) -> Iterator[_ParsedRow]:
        """Return the rows as openpyxl parses them."""
        kind = _FormulaParser if self.has_formulas else _Parser
        parser = kind(
            content,
            self.strings,
            data_only=True,
            epoch=self.epoch,
            date_formats=self.formats.dates,
            timedelta_formats=self.formats.durations,
        )
        return parser.parse()


class OpenpyxlRows:
    """The rows that have a value, as a stream, and the fraction that has been read.

    openpyxl keeps one empty XML element for every row it has passed. Memory therefore grows by some
    50 bytes a row, up to Excel's limit of rows.
    """

    def __init__(self, part: SheetPart, stream: BinaryIO) -> None:
        self._part = part
        self._stream = stream
        self._clean = _unescape_all if part.has_escapes else _blanks_as_none
        self._rows = self._read()

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fraction(self) -> float:
        """Return the fraction that has been read, 0 to 1, by the packed bytes of the sheet."""
        member = self._part.member
        done_bytes = self._stream.tell() - member.header_offset
        return min(max(done_bytes / max(member.compress_size, 1), 0.0), 1.0)

    def close(self) -> None:
        """Release the sheet. The workbook stays open."""
        self._rows.close()

    def _read(self) -> Generator[Row, None, None]:
        with damage_is_a_fault(), self._part.archive.open(self._part.member) as content:
            last_line = 0
            for line, values in self._part.rows(content):
                if line <= last_line:
                    raise ValueError(f"row {line} after row {last_line}")
                last_line = line
                cells = self._clean(_values(line, values))
                if cells.count(None) != len(cells):
                    yield line, cells


def _values(line: int, cells: Sequence[Mapping[str, Any]]) -> tuple[Cell, ...]:
    """Return the values of a row from its first column to its last."""
    width = max((cell["column"] for cell in cells), default=0)
    if width > MAX_COLUMNS:
        if any(cell["column"] > MAX_COLUMNS and cell["value"] is not None for cell in cells):
            raise too_many_columns(line)
        width = MAX_COLUMNS
    values: list[Cell] = [None] * width
    for cell in cells:
        if cell["column"] <= width:
            values[cell["column"] - 1] = cell["value"]
    return tuple(values)


def _blanks_as_none(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    return tuple(None if cell == "" else cell for cell in cells) if "" in cells else cells


def _unescape_all(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    return _blanks_as_none(
        tuple(unescape(cell) if isinstance(cell, str) and "_x" in cell else cell for cell in cells)
    )


def unescape(text: str) -> str:
    """Resolve `_xHHHH_` in a text. `_x005F_` is the underscore that protects such a text."""
    plain = _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)
    # Two escapes may be the halves of one character.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
