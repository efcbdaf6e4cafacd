"""What a workbook is made of: its sheets, and the tables that their cells refer to."""

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from xml.etree.ElementTree import ParseError
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

from openpyxl.packaging.relationship import get_dependents, get_rels_path
from openpyxl.reader.workbook import WorkbookParser
from openpyxl.xml.constants import ARC_ROOT_RELS

from shared.roll.errors import FileCode, FileFault
from shared.roll.limits import Limits
from shared.roll.xlsx_tables import read_date_styles, read_strings, refuse_doctype
from shared.roll.zip_guard import open_archive

# What zipfile and expat raise for a damaged workbook, and what its content makes our own parsers
# raise. OSError is not among them: it is the store's own fault, not the file's.
DAMAGE: tuple[type[Exception], ...] = (
    BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    ExpatError,
    ArithmeticError,
    LookupError,
    ValueError,
)
# openpyxl adds these for XML that is well-formed and not what it expects.
OPENPYXL_DAMAGE = (ParseError, AttributeError, TypeError)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A worksheet: its title, and the zip's name for the part with its cells."""

    title: str
    part: str
    is_visible: bool


@dataclass(frozen=True, slots=True)
class Workbook:
    """An opened workbook; `epoch` is the day from which its dates count."""

    archive: ZipFile
    sheets: tuple[Sheet, ...]
    strings: list[str]
    date_styles: set[int]
    epoch: datetime


@contextmanager
def damage_is_a_fault(*more: type[Exception]) -> Iterator[None]:
    """Turn what a damaged workbook makes the libraries raise into UNREADABLE_FILE."""
    try:
        yield
    except (*DAMAGE, *more) as error:
        raise FileFault(
            FileCode.UNREADABLE_FILE,
            "The workbook cannot be read; it is damaged or not written as Excel would. Please open"
            " it in Excel, save it again as .xlsx and upload that.",
        ) from error


def open_workbook(stream: BinaryIO, limits: Limits) -> Workbook:
    """Read everything but the sheets. Memory is that of the shared strings. Raises `FileFault`."""
    with damage_is_a_fault(*OPENPYXL_DAMAGE), warnings.catch_warnings():
        # openpyxl warns of parts that it would not be able to write back.
        warnings.simplefilter("ignore")
        archive = open_archive(stream, limits)
        name = _relations(archive, ARC_ROOT_RELS, limits)["officeDocument"]
        _check_small_part(archive, name, limits)
        parts = _relations(archive, get_rels_path(name), limits)  # type: ignore[no-untyped-call]
        parser = WorkbookParser(archive, name, keep_links=False)
        parser.parse()
        return Workbook(
            archive=archive,
            sheets=tuple(_sheets(parser, archive)),
            strings=_strings(archive, parts.get("sharedStrings"), limits),
            date_styles=_date_styles(archive, parts.get("styles")),
            epoch=parser.wb.epoch,
        )


def _relations(archive: ZipFile, name: str, limits: Limits) -> dict[str, str]:
    """The parts that a list of relations leads to, by the last word of their type."""
    _check_small_part(archive, name, limits)
    relations = get_dependents(archive, name)
    return {relation.Type.rpartition("/")[2]: relation.target for relation in relations}


def _check_small_part(archive: ZipFile, name: str, limits: Limits) -> None:
    """openpyxl makes a tree of these parts, which takes many times their size."""
    if archive.getinfo(name).file_size > limits.max_small_part_bytes:
        raise FileFault(
            FileCode.WORKBOOK_TOO_LARGE,
            "The workbook's own list of its parts is too large. Please save the sheet with the"
            " roll as CSV and upload that.",
        )
    # UTF-16 would hide the letters between zeros.
    if b"<!DOCTYPE" in archive.read(name).replace(b"\x00", b""):
        refuse_doctype()


def _sheets(parser: WorkbookParser, archive: ZipFile) -> Iterator[Sheet]:
    names = set(archive.namelist())
    for sheet, relation in parser.find_sheets():
        if relation.Type.endswith("/worksheet") and relation.target in names:
            yield Sheet(sheet.name, relation.target, sheet.state in (None, "visible"))


def _strings(archive: ZipFile, name: str | None, limits: Limits) -> list[str]:
    if name is None or name not in archive.namelist():
        return []
    if archive.getinfo(name).file_size > limits.max_strings_bytes:
        raise FileFault(
            FileCode.WORKBOOK_TOO_LARGE,
            "The workbook holds too much text. Please save the sheet with the roll as CSV and"
            " upload that.",
        )
    with archive.open(name) as part:
        return read_strings(part, limits.max_field_chars)


def _date_styles(archive: ZipFile, name: str | None) -> set[int]:
    if name is None or name not in archive.namelist():
        return set()
    with archive.open(name) as part:
        return read_date_styles(part)
