"""One cheap pass over the XML of a workbook, before a library trusts any of it.

On its way it refuses every DTD (Office writes none; a billion laughs needs one) and every text no
cell can hold. openpyxl would skip, without a word, a row that stands below a later one, and would
count up to a row number of 10^12; so row numbers are looked at as well. Calamine would read an
error as a blank cell; so the pass also tells whether both would read the same.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, NoReturn
from xml.parsers import expat
from zipfile import ZipFile, ZipInfo

from shared.roll.errors import FileCode, FileFault
from shared.roll.limits import KIB, Limits
from shared.roll.workbook_faults import too_large
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
# Each pattern starts with a literal, which makes a search many times as fast.
_FORMULA = re.compile(rb"<f[\s/>]")
_ROW_NUMBER = re.compile(rb"<row\s(?:[^>]*?\s)?r=[\"'](\d+)[\"']")
_PREFIXED_FORMULA = re.compile(rb":f[\s/>]")
_PREFIXED_ROW_NUMBER = re.compile(rb":row\s(?:[^>]*?\s)?r=[\"'](\d+)[\"']")
_ODD_TEXTS = (
    rb"<t>(?:\s|[^<]*\s<)",  # white space that nothing preserves
    rb"_x(?:005[Ff]|[Dd][89A-Fa-f]|[Ff]{3})",  # an escape that only one of the two resolves rightly
    rb":(?:t|is|si|sst|c|v|row|sheetData|worksheet)[\s/>]",  # names with a prefix
)
_ODD_CELLS = (
    *_ODD_TEXTS,
    rb"t=[\"'][ed][\"']",  # an error, or a date as text
    rb"r=[\"'](?:[B-Z][A-Z]|[A-Z]{3})",  # a column beyond AZ
    rb"<v>-?\d{16}",  # more digits than a double keeps
)
_WINDOW_BYTES = 256

Patterns = tuple[re.Pattern[bytes], ...]


@dataclass(frozen=True, slots=True)
class Contents:
    """What the pass has seen: the sheets that hold formulas, by part, whether any text may hold an
    escape, and whether calamine reads the same rows as openpyxl, in little memory."""

    with_formulas: frozenset[str]
    has_escapes: bool
    is_plain: bool


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
    is_plain = _bytes_in_memory(archive) <= limits.fast_sheet_bytes
    odd_cells = _odd_cells(_formats(archive, members)) if is_plain else ()
    with_formulas = set()
    has_escapes = False
    for member in members:
        is_sheet = member.filename.startswith(SHEETS)
        look = _Look(odd_cells if is_sheet else _compiled(_ODD_TEXTS), is_sheet=is_sheet)
        with archive.open(member) as part:
            _scan(part, limits.max_field_chars, look, is_whole=is_plain or not is_sheet)
        if look.has_formula:
            with_formulas.add(member.filename)
        if _holds_cells(member):
            is_plain = is_plain and look.is_plain
            has_escapes = has_escapes or look.has_escape
    return Contents(frozenset(with_formulas), has_escapes, is_plain)


def _holds_cells(member: ZipInfo) -> bool:
    return member.filename.startswith(SHEETS) or member.filename.endswith(STRINGS)


def _bytes_in_memory(archive: ZipFile) -> int:
    """What calamine keeps is a small multiple of this: cells and strings, and the file itself."""
    members = archive.infolist()
    unpacked = sum(member.file_size for member in members if _holds_cells(member))
    return unpacked + sum(member.compress_size for member in members)


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


def _odd_cells(formats: CellFormats) -> Patterns:
    """What a sheet must not hold to be read the same by both: also a date before or after those
    that Excel shows, and any number whose format is doubtful."""
    patterns = [*_ODD_CELLS]
    if formats.doubtful:
        patterns.append(rb"s=[\"'](?:%b)[\"']" % _any_of(formats.doubtful))
    if formats.dates:
        patterns.append(rb"s=[\"'](?:%b)[\"'][^<]*><v>(?:-|\d{7})" % _any_of(formats.dates))
    return _compiled(patterns)


def _any_of(indexes: Iterable[int]) -> bytes:
    return "|".join(map(str, indexes)).encode()


def _compiled(patterns: Iterable[bytes]) -> Patterns:
    return tuple(map(re.compile, patterns))


class _Look:
    """What the tags of one part tell."""

    def __init__(self, odd: Patterns, *, is_sheet: bool) -> None:
        self._odd = odd
        self._is_sheet = is_sheet
        self._before = b""
        self._row = 0
        self._is_odd = False
        self.has_formula = False
        self.has_escape = False
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
        self.has_escape = self.has_escape or b"_x" in tags
        if self._is_sheet:
            self.has_formula = self.has_formula or _has_formula(tags)
            numbers = _ROW_NUMBER.findall(tags) or _PREFIXED_ROW_NUMBER.findall(tags)
            self._row = _last_row(numbers, self._row)
        if self._odd and not (self._is_odd or self.has_formula):
            window = self._before + tags
            self._is_odd = any(pattern.search(window) for pattern in self._odd)
            self._before = tags[-_WINDOW_BYTES:]


def _has_formula(tags: bytes) -> bool:
    return (_FORMULA.search(tags) or _PREFIXED_FORMULA.search(tags)) is not None


def _scan(part: IO[bytes], max_text_bytes: int, look: _Look, *, is_whole: bool) -> None:
    """Show the part to `look`. Unless the whole is to be parsed, expat reads no further than to
    the first element, before which a DTD must stand; openpyxl will parse the rest."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse_doctype
    has_begun = False

    def begin(*_: object) -> None:
        nonlocal has_begun
        has_begun = True
        parser.StartElementHandler = None

    parser.StartElementHandler = begin
    unfinished = b""
    while chunk := part.read(CHUNK_BYTES):
        if is_whole or not has_begun:
            parser.Parse(chunk, False)
        tags, start, rest = (unfinished + chunk).rpartition(b"<")
        unfinished = start + rest
        look.longest_bytes = max(look.longest_bytes, len(unfinished))
        if len(unfinished) > max_text_bytes:
            raise too_large("A cell of the workbook holds more text than Excel allows.")
        look.see(tags)
    if is_whole:
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
