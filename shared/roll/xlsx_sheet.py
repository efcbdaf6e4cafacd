"""The rows of one sheet, streamed by openpyxl's read-only mode (`iter_rows`)."""

import re
from collections.abc import Generator, Iterator
from copy import copy
from typing import Any, BinaryIO
from zipfile import ZipInfo

from openpyxl.worksheet._read_only import ReadOnlyWorksheet

from shared.roll.columns import MAX_COLUMNS, too_many_columns
from shared.roll.errors import RowCode
from shared.roll.rows import Cell, NoValue, Row
from shared.roll.workbook_damage import damage_is_a_fault

# ECMA-376 part 1, 22.9.2.19: how a string of a workbook holds a character that XML does not.
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")


class WholeSheet(ReadOnlyWorksheet):
    """A sheet of a workbook opened in read-only mode, all of its cells to be read.

    openpyxl would end where the file claims that the sheet ends, which is often wrong, and would
    cut each row behind the cell that stands last in the XML.
    """

    def __init__(self, sheet: Any, *, with_formulas: bool = False) -> None:
        book = copy(sheet.parent)
        book._data_only = not with_formulas
        super().__init__(book, sheet.title, sheet._worksheet_path, sheet._shared_strings)

    def _get_size(self) -> None:
        """Its size is what is found."""

    def _get_row(
        self, row: list[dict[str, Any]], min_col: int, max_col: int | None, values_only: bool
    ) -> tuple[Any, ...]:
        last = max((cell["column"] for cell in row), default=None)
        if last is not None and last > MAX_COLUMNS:
            if any(cell["column"] > MAX_COLUMNS and cell["value"] is not None for cell in row):
                raise too_many_columns(row[0]["row"])
            last = MAX_COLUMNS
        cells: tuple[Any, ...] = super()._get_row(row, min_col, last, values_only)  # type: ignore[misc]
        return cells


class OpenpyxlRows:
    """The rows that hold a value, as a stream, and how much of the sheet has been read.

    `twin` is the same sheet with formulas in the place of their results where it has any, `part`
    its part of the zip in `stream`. openpyxl keeps one empty XML element for every
    row it has passed, so memory grows by some 50 bytes a row, up to Excel's limit of rows.
    """

    def __init__(
        self,
        sheet: Any,
        twin: Any | None,
        stream: BinaryIO,
        part: ZipInfo,
        *,
        has_escapes: bool,
    ) -> None:
        self._sheet = sheet
        self._twin = twin
        self._stream = stream
        self._part = part
        self._clean = _unescaped if has_escapes else _blanks_as_none
        self._rows = self._read()

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fraction(self) -> float:
        """0 to 1, by the packed bytes of the sheet."""
        done_bytes = self._stream.tell() - self._part.header_offset
        return min(max(done_bytes / max(self._part.compress_size, 1), 0.0), 1.0)

    def close(self) -> None:
        """Let go of the sheet; the workbook stays open."""
        self._rows.close()

    def _read(self) -> Generator[Row, None, None]:
        with damage_is_a_fault():
            for line, cells in enumerate(self._cells(), start=1):
                if cells.count(None) != len(cells):
                    yield line, cells

    def _cells(self) -> Iterator[tuple[Cell, ...]]:
        if self._twin is None:
            return map(self._clean, self._sheet.iter_rows(values_only=True))
        return self._values_beside_formulas(self._twin)

    def _values_beside_formulas(self, twin: Any) -> Iterator[tuple[Cell, ...]]:
        values, formulas = self._sheet.iter_rows(), twin.iter_rows(values_only=True)
        for pair in zip(values, formulas, strict=True):
            yield self._clean(tuple(map(_value, *pair)))


def _value(cell: Any, formula: object) -> Cell:
    """A formula whose result is an empty text is a blank cell; one without any result is not."""
    value: Cell = cell.value
    if value is None and formula is not None and cell.data_type != "str":
        return NoValue(RowCode.FORMULA_NO_VALUE, formula if isinstance(formula, str) else "=")
    return value


def _blanks_as_none(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    return tuple(None if cell == "" else cell for cell in cells) if "" in cells else cells


def _unescaped(cells: tuple[Cell, ...]) -> tuple[Cell, ...]:
    return _blanks_as_none(
        tuple(unescape(cell) if isinstance(cell, str) and "_x" in cell else cell for cell in cells)
    )


def unescape(text: str) -> str:
    """The text with `_xHHHH_` resolved; `_x005F_` is the underscore that protects such a text."""
    plain = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), text)
    # Two escapes may be the halves of one character.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
