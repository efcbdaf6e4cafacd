"""A workbook opened by openpyxl in read-only mode, which streams its rows."""

import warnings
from collections.abc import Iterator
from typing import IO, Any, BinaryIO
from zipfile import ZipFile

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from shared.roll.workbook import Sheet
from shared.roll.workbook_damage import damage_is_a_fault
from shared.roll.xlsx_parts import Contents
from shared.roll.xlsx_sheet import OpenpyxlRows, WholeSheet


class _Reader(ExcelReader):
    """What `load_workbook` uses, which takes every `x005F_` out of the shared strings: of text as
    well as of escapes, so that nobody can tell afterwards what an escape was."""

    def read_strings(self) -> None:
        """The shared strings as they stand in the file."""
        package: Any = self.package
        part = package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as content:
                self.shared_strings = list(_texts(content))


def _texts(content: IO[bytes]) -> Iterator[str]:
    for _, element in iterparse(content):
        if element.tag == f"{{{SHEET_MAIN_NS}}}si":
            text: Any = Text.from_tree(element)
            yield text.content
            element.clear()


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
            reader = _Reader(stream, read_only=True, data_only=True, keep_links=False)
            reader.read()
            self._values: Any = reader.wb

    @property
    def sheets(self) -> list[Sheet]:
        """The worksheets in their order; charts and dialogs are none."""
        return [
            Sheet(sheet.title, sheet.sheet_state == "visible") for sheet in self._values.worksheets
        ]

    def rows(self, title: str) -> OpenpyxlRows:
        """The rows of a sheet, streamed."""
        with damage_is_a_fault():
            sheet = self._values[title]
            part = self._archive.getinfo(sheet._worksheet_path)
            # A formula saved without its result reads as blank, so the formulas are read as well.
            has_formulas = part.filename in self.contents.with_formulas
        return OpenpyxlRows(
            WholeSheet(sheet),
            WholeSheet(sheet, with_formulas=True) if has_formulas else None,
            self.stream,
            part,
            has_escapes=self.contents.has_escapes,
        )

    def close(self) -> None:
        """Close the zip; the stream stays the caller's."""
        self._values.close()

    @property
    def _archive(self) -> ZipFile:
        archive: ZipFile = self._values._archive
        return archive
