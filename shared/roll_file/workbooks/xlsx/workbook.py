"""A workbook opened by openpyxl, with streamed rows."""

import warnings
from collections.abc import Iterator
from typing import IO, Any, BinaryIO
from zipfile import ZipFile

from openpyxl.cell.text import Text
from openpyxl.reader.excel import ExcelReader
from openpyxl.xml.constants import SHARED_STRINGS, SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from shared.roll_file.workbooks.damage import damage_is_a_fault
from shared.roll_file.workbooks.interface import Sheet
from shared.roll_file.workbooks.xlsx.precheck import Contents
from shared.roll_file.workbooks.xlsx.sheet import OpenpyxlRows, SheetPart

# openpyxl warns of parts that it cannot write back, and of dates that Excel cannot show. Python has
# one list of filters for the whole process, so this adds to it once.
warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")


class _Reader(ExcelReader):
    """A reader of only those parts of a workbook that its rows depend on.

    `load_workbook` also reads names, properties and the look of cells. These could take long or be
    damaged.
    """

    def read(self) -> None:
        """Read the strings, the epoch and the list of sheets."""
        self.read_manifest()
        self.read_strings()
        self.read_workbook()

    def read_strings(self) -> None:
        """Read the shared strings as they are in the file.

        `load_workbook` would remove every `x005F_`, from text as well as from escapes. The two
        could then not be distinguished.
        """
        package: Any = self.package
        part = package.find(SHARED_STRINGS)
        if part is not None:
            with self.archive.open(part.PartName[1:]) as content:
                self.shared_strings = list(_texts(content))

    def sheets(self) -> Iterator[tuple[Sheet, str]]:
        """Yield the worksheets without charts in their order, each with the name of its part."""
        parts = set()
        for sheet, relation in self.parser.find_sheets():
            if relation.target not in self.archive.NameToInfo or "chartsheet" in relation.Type:
                continue
            if relation.target in parts:
                raise ValueError("sheets that share a part")
            parts.add(relation.target)
            yield Sheet(sheet.name, sheet.state == "visible"), relation.target


def _texts(content: IO[bytes]) -> Iterator[str]:
    for _, element in iterparse(content):
        if element.tag == f"{{{SHEET_MAIN_NS}}}si":
            text: Any = Text.from_tree(element)
            yield text.content
            element.clear()


class OpenpyxlWorkbook:
    """A workbook whose sheets are streamed.

    `contents` is the result of the precheck. Memory is that of the shared strings. Raises
    `FileFault` for damage.
    """

    def __init__(self, stream: BinaryIO, contents: Contents) -> None:
        self.stream = stream
        self.contents = contents
        with damage_is_a_fault():
            self._reader = _Reader(stream, read_only=True, data_only=True, keep_links=False)
            self._reader.read()
            self._sheets = list(self._reader.sheets())

    @property
    def sheets(self) -> list[Sheet]:
        """The worksheets in their order, without charts."""
        return [sheet for sheet, _ in self._sheets]

    def rows(self, title: str) -> OpenpyxlRows:
        """Return the rows of a sheet as a stream."""
        part = next(part for sheet, part in self._sheets if sheet.title == title)
        archive: ZipFile = self._reader.archive
        book: Any = self._reader.wb
        sheet = SheetPart(
            archive,
            archive.getinfo(part),
            self._reader.shared_strings,
            book.epoch,
            self.contents.formats,
            has_formulas=part in self.contents.with_formulas,
            has_escapes=self.contents.has_escapes,
        )
        return OpenpyxlRows(sheet, self.stream)

    def close(self) -> None:
        """Close the zip. The caller owns the stream."""
        self._reader.archive.close()
