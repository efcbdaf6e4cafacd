"""A workbook opened by openpyxl in read-only mode, after a look at what is in its zip.

What a damaged workbook makes the libraries raise becomes a `FileFault` here.
"""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from shared.roll.errors import FileCode, FileFault
from shared.roll.limits import Limits
from shared.roll.xlsx_parts import check_parts
from shared.roll.zip_guard import open_archive

# What zipfile, the XML parser and openpyxl raise for a damaged workbook, each tried. OSError is
# not among them: it is the store's own fault, not the file's.
DAMAGE = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    ParseError,
    ExpatError,
    InvalidFileException,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


@contextmanager
def damage_is_a_fault() -> Iterator[None]:
    """Turn what a damaged workbook makes the libraries raise into UNREADABLE_FILE."""
    try:
        yield
    except DAMAGE as error:
        raise FileFault(
            FileCode.UNREADABLE_FILE,
            "The workbook cannot be read; it is damaged or not written as Excel would. Please open"
            " it in Excel, save it again as .xlsx and upload that.",
        ) from error


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet by its title."""

    title: str
    is_visible: bool


class OpenWorkbook:
    """A workbook whose cells are read as values, and a second time as formulas where needed.

    `with_formulas` names the parts of the sheets that hold any. Memory is that of the shared
    strings and styles. Raises `FileFault` for a zip that must not be unpacked, and for damage.
    """

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        self.stream = stream
        # openpyxl warns of parts that it cannot write back, and of dates that Excel cannot show.
        warnings.filterwarnings("ignore", category=UserWarning, module="openpyxl")
        with damage_is_a_fault():
            with open_archive(stream, limits) as archive:
                self.with_formulas = check_parts(archive, limits)
            self._values = _load(stream, data_only=True)

    @property
    def archive(self) -> ZipFile:
        """The open zip behind the workbook."""
        archive: ZipFile = self._values._archive
        return archive

    @property
    def sheets(self) -> list[Sheet]:
        """The worksheets in their order; charts and dialogs are none."""
        return [
            Sheet(sheet.title, sheet.sheet_state == "visible") for sheet in self._values.worksheets
        ]

    def sheet(self, title: str) -> Any:
        """openpyxl's read-only worksheet."""
        return _unsized(self._values[title])

    def formulas_of(self, title: str) -> Any:
        """The same worksheet, with formulas in the place of their results."""
        return _unsized(self._formulas[title])

    def close(self) -> None:
        """Close the zip; the stream stays the caller's."""
        self._values.close()

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
