"""One cheap pass over the XML of a workbook, before openpyxl trusts any of it.

Expat without handlers reads some hundred megabytes a second. On its way it refuses every DTD
(Office writes none; a billion laughs needs one) and every text no cell can hold. openpyxl would
skip, without a word, a row that stands below a later one, and would count up to a row number of
10^12; so row numbers are looked at as well.
"""

import re
from collections.abc import Iterable
from typing import IO, NoReturn
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

from shared.roll.errors import FileCode, FileFault
from shared.roll.limits import KIB, Limits

SHEETS = "xl/worksheets/"
# Excel's own limit, and the last row number that it writes.
MAX_ROW = 1_048_576
CHUNK_BYTES = 64 * KIB
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ROW_NUMBER = re.compile(rb"<(?:\w+:)?row\s(?:[^>]*?\s)?r=[\"'](\d+)[\"']")


def check_parts(archive: ZipFile, limits: Limits) -> frozenset[str]:
    """Look through every XML part; returns the names of the sheets that hold formulas.

    Memory is that of the longest text. Raises `FileFault`, and what expat and zipfile raise for a
    damaged part.
    """
    with_formulas = set()
    for member in archive.infolist():
        if member.filename.endswith((".xml", ".rels")):
            _check_size(member, limits)
            with archive.open(member) as part:
                is_sheet = member.filename.startswith(SHEETS)
                if _scan(part, limits.max_field_chars, is_sheet=is_sheet):
                    with_formulas.add(member.filename)
    return frozenset(with_formulas)


def _check_size(member: ZipInfo, limits: Limits) -> None:
    """Sheets are streamed, shared strings are kept, all else becomes a tree many times its size."""
    if member.filename.startswith(SHEETS):
        max_bytes = limits.max_part_bytes
    elif member.filename.endswith("sharedStrings.xml"):
        max_bytes = limits.max_strings_bytes
    else:
        max_bytes = limits.max_small_part_bytes
    if member.file_size > max_bytes:
        raise _too_large("The workbook holds too much text or formatting.")


def _scan(part: IO[bytes], max_text_bytes: int, *, is_sheet: bool) -> bool:
    """Check one part; tells whether it holds a formula."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    has_formula = False
    row = 0
    unfinished = b""
    while chunk := part.read(CHUNK_BYTES):
        parser.Parse(chunk, False)
        tags, start, rest = (unfinished + chunk).rpartition(b"<")
        unfinished = start + rest
        if len(unfinished) > max_text_bytes:
            raise _too_large("A cell of the workbook holds more text than Excel allows.")
        if is_sheet:
            has_formula = has_formula or _FORMULA.search(tags) is not None
            row = _last_row(_ROW_NUMBER.findall(tags), row)
    parser.Parse(b"", True)
    return has_formula


def _last_row(numbers: Iterable[bytes], row: int) -> int:
    for number in map(int, numbers):
        if not row < number <= MAX_ROW:
            raise ValueError(f"row {number} after row {row}")
        row = number
    return row


def _refuse_doctype(*_: object) -> NoReturn:
    raise FileFault(
        FileCode.UNREADABLE_FILE,
        "The workbook holds declarations that Excel never writes. Please open it in Excel, save"
        " it again as .xlsx and upload that.",
    )


def _too_large(reason: str) -> FileFault:
    return FileFault(
        FileCode.WORKBOOK_TOO_LARGE,
        f"{reason} Please save the sheet with the roll as CSV and upload that.",
    )
