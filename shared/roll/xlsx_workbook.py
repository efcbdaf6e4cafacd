"""A workbook opened by openpyxl in read-only mode, which streams its rows."""

import warnings
from functools import cached_property
from typing import Any, BinaryIO
from zipfile import ZipFile

from openpyxl import load_workbook

from shared.roll.workbook import Sheet
from shared.roll.workbook_damage import damage_is_a_fault
from shared.roll.xlsx_parts import Contents
from shared.roll.xlsx_sheet import OpenpyxlRows


class OpenpyxlWorkbook:
    """A workbook whose cells are read as values, and a second time as formulas where needed.

    `contents` is what a look at its parts has told. Memory is that of the shared
    strings and styles. Raises `FileFault` for damage.
    """

    def __init__(self, stream: BinaryIO, contents: Contents) -> None:
        self.stream = stream
        self.contents = contents
        # openpyxl warns of parts that it cannot write back, and of dates that Excel cannot show.
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        with damage_is_a_fault():
            self._values = _load(stream, data_only=True)

    @property
    def sheets(self) -> list[Sheet]:
        """The worksheets in their order; charts and dialogs are none."""
        return [
            Sheet(sheet.title, sheet.sheet_state == "visible") for sheet in self._values.worksheets
        ]

    def rows(self, title: str) -> OpenpyxlRows:
        """The rows of a sheet, streamed."""
        with damage_is_a_fault():
            sheet = _unsized(self._values[title])
            part = self._archive.getinfo(sheet._worksheet_path)
            # A formula saved without its result reads as blank, so the formulas are read as well.
            has_formulas = part.filename in self.contents.with_formulas
            twin = _unsized(self._formulas[title]) if has_formulas else None
        return OpenpyxlRows(sheet, twin, self.stream, part, has_escapes=self.contents.has_escapes)

    def close(self) -> None:
        """Close the zip; the stream stays the caller's."""
        self._values.close()

    @property
    def _archive(self) -> ZipFile:
        archive: ZipFile = self._values._archive
        return archive

    @cached_property
    def _formulas(self) -> Any:
        return _load(self.stream, data_only=False)


def _load(stream: BinaryIO, *, data_only: bool) -> Any:
    return load_workbook(stream, read_only=True, data_only=data_only, keep_links=False)


def _unsized(sheet: Any) -> Any:
    """Without the size that the file claims the sheet has: it is often wrong, and openpyxl would
    stop there without an error."""
    sheet.reset_dimensions()
    return sheet
