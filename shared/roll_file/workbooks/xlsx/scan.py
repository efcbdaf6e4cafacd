"""Scan the tags of one XML part of a workbook as bytes, before a library parses them."""

import re
from typing import IO
from xml.parsers import expat

from shared.roll_file.limits import Limits
from shared.roll_file.workbooks.faults import too_large
from shared.roll_file.workbooks.xlsx.common_subset import PlainPart
from shared.roll_file.workbooks.xlsx.package import CHUNK_BYTES, Kind

# Excel's own limits.
MAX_ROW = 1_048_576
MAX_COLUMNS = 16_384
# Calamine keeps a sheet as a grid: 26 columns of this many rows are four million cells.
MAX_PLAIN_ROW = 150_000
WITH_TEXT = (Kind.SHEET, Kind.STRINGS)


def _tag(name: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return patterns for a tag without and with a namespace prefix.

    Each pattern starts with a literal, which makes a search many times as fast.
    """
    return re.compile(rb"<%b[\s/>]" % name), re.compile(rb":%b[\s/>]" % name)


_FORMULA = _tag(rb"f")
_SHEET_NAME = _tag(rb"sheet")
_CELL = _tag(rb"c")
_RUN = _tag(rb"r(?:Ph)?")
# The two libraries read different subsets of the XML booleans.
_ODD_EPOCH = re.compile(rb"date1904(?!=\"(?:[01]|true|false)\")")
# No pattern can match the same bytes in two ways, so each takes linear time.
_ATTRIBUTES = rb"(?:\s+(?!r=)[\w:.-]+=(?:\"[^\"<>&]*\"|'[^'<>&]*'))*"
_NUMBER = rb"\s+r=[\"'](\d{1,7})[\"']"
_ROW_TAG = rb"row(?:%b(?:%b%b)?\s*/?>|([\s/>]))" % (_ATTRIBUTES, _NUMBER, _ATTRIBUTES)
_ROW = re.compile(rb"<" + _ROW_TAG)
_PREFIXED_ROW = re.compile(rb"<(?:[^\s<>/:]*:)?" + _ROW_TAG)


class Look:
    """What the tags of one part show.

    `plain` is the check of a part that both libraries may read alike.
    """

    def __init__(self, kind: Kind, limits: Limits, plain: PlainPart | None) -> None:
        self.kind = kind
        self.plain = plain
        self.sheet_count = 0
        self.has_formula = False
        self.has_escape = False
        self._limits = limits
        self._tag_count = 0
        self._run_count = 0
        self._row = 0
        self._is_odd = False
        self._cell_count = 0

    @property
    def is_plain(self) -> bool:
        """Whether both libraries read the part alike, and calamine in little memory."""
        if self.plain:
            return self.plain.is_plain and self._row <= MAX_PLAIN_ROW
        return not self._is_odd

    def see(self, tags: bytes) -> None:
        """Read the next tags of the part, with the texts between them."""
        if self.kind is not Kind.SHEET:
            self._count_tags(tags)
        if self.kind not in WITH_TEXT:
            return
        self.has_escape = self.has_escape or b"_x" in tags
        if self.kind is Kind.SHEET:
            self._check_rows(tags)
        if self.plain and self.plain.is_plain:
            rest = self.plain.buffer
            if self.plain.see(tags):
                return
            tags = rest + tags
        self._see_odd(tags)

    def finish(self, last_tag: bytes) -> None:
        """Read the last tag of the part."""
        if self.plain and self.plain.is_plain:
            rest = self.plain.buffer
            self.plain.finish(last_tag)
            self._see_odd(rest)

    def _see_odd(self, tags: bytes) -> None:
        """Look for what a plain part does not have."""
        self._run_count += _count(_RUN, tags)
        if self._run_count > self._limits.max_small_tags:
            raise too_large("The workbook has too much formatting.")
        self.has_formula = self.has_formula or any(tag.search(tags) for tag in _FORMULA)

    def _count_tags(self, tags: bytes) -> None:
        self._tag_count += tags.count(b"<")
        is_strings = self.kind is Kind.STRINGS
        limit = self._limits.max_string_tags if is_strings else self._limits.max_small_tags
        if self._tag_count > limit:
            raise too_large("The workbook has too much text or formatting.")
        if self.kind is Kind.WORKBOOK:
            self.sheet_count += _count(_SHEET_NAME, tags)
            self._is_odd = self._is_odd or _ODD_EPOCH.search(tags) is not None

    def _check_rows(self, tags: bytes) -> None:
        """Raise ValueError unless the rows are in order and their numbers are readable.

        openpyxl keeps the cells of a row. They are counted here by blocks without a new row.
        """
        pattern = _PREFIXED_ROW if b":row" in tags else _ROW
        rows = pattern.findall(tags)
        for number, oddity in rows:
            row = int(number) if number else self._row + 1
            if oddity or not self._row < row <= MAX_ROW:
                raise ValueError(f"row {row} after row {self._row}")
            self._row = row
        self._cell_count = 0 if rows else self._cell_count + _count(_CELL, tags)
        if self._cell_count > MAX_COLUMNS:
            raise too_large("A row of the workbook has more cells than Excel allows.")


def _count(tag: tuple[re.Pattern[bytes], ...], tags: bytes) -> int:
    return sum(len(pattern.findall(tags)) for pattern in tag)


def scan(
    part: IO[bytes], limits: Limits, look: Look, parser: expat.XMLParserType | None = None
) -> None:
    """Pass the part to `look`, and to `parser` if calamine may not parse it to its end.

    Each byte is copied once, so a text without a tag takes no longer than one with tags. The time
    of expat grows with the square of a tag's length, so a part that it parses must not have a long
    tag.
    """
    is_bounded = parser is not None or look.kind is not Kind.OTHER
    last_tag: list[bytes] = []
    last_tag_bytes = 0
    while chunk := part.read(CHUNK_BYTES):
        if parser:
            parser.Parse(chunk, False)
        tags, start, rest = chunk.rpartition(b"<")
        if start:
            look.see(b"".join((*last_tag, tags)))
            last_tag, last_tag_bytes = [], 0
        if is_bounded:
            last_tag.append(start + rest)
            last_tag_bytes += len(start + rest)
        if last_tag_bytes > limits.max_cell_bytes:
            raise too_large("A cell of the workbook has more text than Excel allows.")
    if parser:
        parser.Parse(b"", True)
    look.finish(b"".join(last_tag))
