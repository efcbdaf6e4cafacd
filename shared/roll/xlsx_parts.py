"""One cheap pass over the XML of a workbook, before a library trusts any of it.

Expat without handlers reads some hundred megabytes a second. On its way it refuses every DTD
(Office writes none; a billion laughs needs one) and every text no cell can hold. openpyxl would
skip, without a word, a row that stands below a later one, and would count up to a row number of
10^12; so row numbers are looked at as well. Calamine would read an error as a blank cell; so the
pass also tells whether both would read the same.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, NoReturn
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

from shared.roll.errors import FileCode, FileFault
from shared.roll.limits import KIB, Limits
from shared.roll.workbook import too_large
from shared.roll.xlsx_styles import CellFormats, read_formats

SHEETS = "xl/worksheets/"
STRINGS = "sharedStrings.xml"
STYLES = "styles.xml"
# Excel's own limit, and the last row number that it writes.
MAX_ROW = 1_048_576
CHUNK_BYTES = 64 * KIB
# Calamine copies a shared string into every cell that refers to it, and keeps a sheet as a grid.
MAX_PLAIN_STRING_BYTES = 2000
MAX_PLAIN_ROW = 200_000
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s/>]")
_ROW_NUMBER = re.compile(rb"<(?:\w+:)?row\s(?:[^>]*?\s)?r=[\"'](\d+)[\"']")
# White space that nothing preserves, an escape that only one of the two resolves rightly.
_ODD_TEXT = rb"<(?:\w+:)?t>(?:\s|[^<]*\s<)|_x(?:005[Ff]|[Dd][89A-Fa-f]|[Ff]{3})"
# An error, a date as text, a column beyond AZ, a number with more digits than a double keeps.
_ODD_CELL = rb"\st=[\"'][ed][\"']|\sr=[\"'](?:[B-Z][A-Z]|[A-Z]{3})|<v>-?\d{16}"
_WINDOW_BYTES = 256


@dataclass(slots=True)
class Contents:
    """What the pass has seen: the sheets that hold formulas, by part, and whether openpyxl and
    calamine read the same out of the workbook. Sizes are unpacked."""

    with_formulas: set[str]
    is_plain: bool
    cell_bytes: int


def check_parts(archive: ZipFile, limits: Limits) -> Contents:
    """Look through every XML part.

    Memory is that of the longest text. Raises `FileFault`, and what expat and zipfile raise for a
    damaged part.
    """
    members = [
        member for member in archive.infolist() if member.filename.endswith((".xml", ".rels"))
    ]
    for member in members:
        _check_size(member, limits)
    odd_cell, odd_text = _odd_cell(_formats(archive, members)), re.compile(_ODD_TEXT)
    contents = Contents(set(), is_plain=True, cell_bytes=0)
    for member in members:
        is_sheet = member.filename.startswith(SHEETS)
        with archive.open(member) as part:
            look = _Look(odd_cell if is_sheet else odd_text, is_sheet=is_sheet)
            _scan(part, limits.max_field_chars, look)
        if look.has_formula:
            contents.with_formulas.add(member.filename)
        if is_sheet or member.filename.endswith(STRINGS):
            contents.cell_bytes += member.file_size
            contents.is_plain = contents.is_plain and look.is_plain
    return contents


def _check_size(member: ZipInfo, limits: Limits) -> None:
    """Sheets are streamed, shared strings are kept, all else becomes a tree many times its size."""
    if member.filename.startswith(SHEETS):
        max_bytes = limits.max_part_bytes
    elif member.filename.endswith(STRINGS):
        max_bytes = limits.max_strings_bytes
    else:
        max_bytes = limits.max_small_part_bytes
    if member.file_size > max_bytes:
        raise too_large("The workbook holds too much text or formatting.")


def _formats(archive: ZipFile, members: Iterable[ZipInfo]) -> CellFormats:
    for member in members:
        if member.filename.endswith(STYLES):
            with archive.open(member) as part:
                return read_formats(part)
    return CellFormats()


def _odd_cell(formats: CellFormats) -> re.Pattern[bytes]:
    """What a sheet must not hold to be read the same by both: also a date before or after those
    that Excel shows, and any number whose format is doubtful."""
    pattern = _ODD_TEXT + b"|" + _ODD_CELL
    if formats.doubtful:
        pattern += rb"|\ss=[\"'](?:%b)[\"']" % _any_of(formats.doubtful)
    if formats.dates:
        pattern += rb"|\ss=[\"'](?:%b)[\"'][^<]*><v>(?:-|\d{7})" % _any_of(formats.dates)
    return re.compile(pattern)


def _any_of(indexes: Iterable[int]) -> bytes:
    return "|".join(map(str, indexes)).encode()


class _Look:
    """What the tags of one part tell."""

    def __init__(self, odd: re.Pattern[bytes], *, is_sheet: bool) -> None:
        self._odd = odd
        self._is_sheet = is_sheet
        self._before = b""
        self._row = 0
        self._is_odd = False
        self.has_formula = False
        self.longest_bytes = 0

    @property
    def is_plain(self) -> bool:
        """Whether both libraries read the part alike, and calamine in little memory."""
        return (
            not (self._is_odd or self.has_formula)
            and self._row <= MAX_PLAIN_ROW
            and (self._is_sheet or self.longest_bytes <= MAX_PLAIN_STRING_BYTES)
        )

    def see(self, tags: bytes) -> None:
        """Take the next tags of the part, with the texts between them."""
        if self._is_sheet:
            self.has_formula = self.has_formula or _FORMULA.search(tags) is not None
            self._row = _last_row(_ROW_NUMBER.findall(tags), self._row)
        if not (self._is_odd or self.has_formula):
            self._is_odd = self._odd.search(self._before + tags) is not None
            self._before = tags[-_WINDOW_BYTES:]


def _scan(part: IO[bytes], max_text_bytes: int, look: _Look) -> None:
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    unfinished = b""
    while chunk := part.read(CHUNK_BYTES):
        parser.Parse(chunk, False)
        tags, start, rest = (unfinished + chunk).rpartition(b"<")
        unfinished = start + rest
        look.longest_bytes = max(look.longest_bytes, len(unfinished))
        if len(unfinished) > max_text_bytes:
            raise too_large("A cell of the workbook holds more text than Excel allows.")
        look.see(tags)
    parser.Parse(b"", True)


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
