"""Export the roll as a workbook, streamed row by row.

openpyxl can only write a whole workbook, so a client would wait minutes for a million voters. It
therefore writes the workbook without the voters, and this module inserts their rows into the XML.
"""

import re
from collections.abc import Iterable, Iterator
from io import BytesIO, RawIOBase
from itertools import islice
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.styles import Font

from shared.roll_file.fields import WIDTHS, VoterRow
from shared.roll_file.writing.csv_export import LABELS, escape, protect, spell
from shared.roll_file.writing.disarming import disarm_text
from shared.roll_file.writing.xlsx_saving import save

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

SHEET_TITLE = "Roll"
BLOCK_ROWS = 2_000
BLOCK_BYTES = 64 * 1024
# A third of the time of the default level, for a file a tenth larger.
COMPRESSION = 1
DISARMED_WIDTH = 11
_SHEET = "xl/worksheets/sheet1.xml"
_END_OF_ROWS = b"</sheetData>"
_TEXT_FORMAT = "@"

# Characters that XML changes or cannot contain (XML 1.0, sections 2.2 and 2.11).
_NOT_IN_XML = re.compile("[\r\ufffe\uffff]")
_MARKUP = {ord("&"): "&amp;", ord("<"): "&lt;", ord(">"): "&gt;"}


def xlsx_blocks(voters: Iterable[VoterRow]) -> Iterator[bytes]:
    """Yield a workbook of at most MAX_SHEET_VOTERS voters, all texts as text.

    Takes constant memory.
    """
    out = _OutgoingBytes()
    with (
        ZipFile(BytesIO(_frame())) as frame,
        ZipFile(out, "w", ZIP_DEFLATED, compresslevel=COMPRESSION) as book,
    ):
        text_style = _text_style(frame.read(_SHEET))
        for name in frame.namelist():
            if name != _SHEET:
                book.writestr(name, frame.read(name))
        before, after = _around_rows(frame.read(_SHEET))
        with book.open(_SHEET, "w", force_zip64=True) as sheet:
            sheet.write(before)
            rows = _rows(voters, text_style)
            while block := "".join(islice(rows, BLOCK_ROWS)):
                sheet.write(block.encode())
                yield from out.take(BLOCK_BYTES)
            sheet.write(after)
    yield from out.take(1)


def _frame() -> bytes:
    """Return a workbook with the header and one row, whose cells have the text format."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = SHEET_TITLE
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGH", (*WIDTHS, DISARMED_WIDTH), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append(LABELS)
    for label in sheet[1]:
        label.font = Font(bold=True)
    sheet.append(["pattern"])
    sheet["A2"].number_format = _TEXT_FORMAT
    return save(book)


# Some readers stop at the last row that the dimension names.
_DIMENSION = re.compile(rb"<dimension [^>]*/>")
_PATTERN_ROW = re.compile(rb'<row r="2".*?<c r="A2" s="(\d+)".*?</row>', re.DOTALL)


def _text_style(sheet: bytes) -> str:
    match = _PATTERN_ROW.search(sheet)
    if match is None:
        raise ValueError("openpyxl has written the pattern row in another form")
    return match.group(1).decode()


def _around_rows(sheet: bytes) -> tuple[bytes, bytes]:
    bare = _DIMENSION.sub(b"", _PATTERN_ROW.sub(b"", sheet))
    before, end, after = bare.partition(_END_OF_ROWS)
    return before, end + after


def _rows(voters: Iterable[VoterRow], style: str) -> Iterator[str]:
    for number, (*texts, year, is_eligible) in enumerate(voters, start=2):
        cells = [
            f'<c r="{letter}{number}" s="{style}" t="inlineStr"><is><t{_space(text)}>'
            f"{_xml(text)}</t></is></c>"
            for letter, text in zip("ABCDE", texts, strict=True)
            if text
        ]
        if year is not None:
            cells.append(f'<c r="F{number}"><v>{year}</v></c>')
        cells.append(f'<c r="G{number}" t="b"><v>{int(is_eligible)}</v></c>')
        yield f'<row r="{number}">{"".join(cells)}</row>'


def _space(text: str) -> str:
    return "" if text.isprintable() else ' xml:space="preserve"'


def _xml(text: str) -> str:
    if text.isalnum():
        return text
    text = protect(disarm_text(spell(text))).translate(_MARKUP)
    return _NOT_IN_XML.sub(lambda match: escape(match.group()), text)


class _OutgoingBytes(RawIOBase):
    """A buffer of what a zip has written and no one has taken yet."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []
        self._held_bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: "ReadableBuffer", /) -> int:
        block = bytes(data)
        self._blocks.append(block)
        self._held_bytes += len(block)
        return len(block)

    def take(self, at_least_bytes: int) -> Iterator[bytes]:
        """Yield the whole buffer if it has at least this many bytes."""
        if self._held_bytes >= at_least_bytes:
            content = b"".join(self._blocks)
            self._blocks.clear()
            self._held_bytes = 0
            yield content
