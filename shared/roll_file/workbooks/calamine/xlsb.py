"""Scan the cells of a binary Excel workbook (.xlsb), record by record ([MS-XLSB] 2.1.4)."""

import struct
from array import array
from collections.abc import Iterator, Sequence
from posixpath import join, normpath
from xml.parsers import expat
from zipfile import ZipFile

from shared.roll_file.limits import Limits
from shared.roll_file.workbooks.calamine.unread_cells import SheetLook, UnreadCells, WorkbookLook
from shared.roll_file.workbooks.faults import too_large

WORKBOOK = "xl/workbook.bin"
RELATIONS = "xl/_rels/workbook.bin.rels"
STRINGS = "xl/sharedStrings.bin"
_ROW, _STRING, _BUNDLE_SHEET = 0, 19, 156
_BLANK, _SHARED_STRING, _CELL_ERROR, _FORMULA_ERROR, _RICH_STRING = 1, 7, 3, 11, 62
_CELLS = frozenset({*range(2, 12), _RICH_STRING})
# Cells without a column number. Excel does not write them, and calamine skips them.
_SHORT_CELLS = frozenset(range(12, 19))

Record = tuple[int, memoryview]


def look_at_xlsb(archive: ZipFile, limits: Limits) -> dict[int, UnreadCells]:
    """Return the unread cells of every sheet, by sheet number.

    Memory is that of the largest part, which has a limit. Raises `FileFault` WORKBOOK_TOO_LARGE,
    and what zipfile, struct and expat raise for damage.
    """
    size_bytes = sum(member.file_size for member in archive.infolist())
    if size_bytes > limits.max_xlsb_bytes:
        raise too_large(
            f"An .xlsb file may unpack to at most {limits.max_xlsb_bytes:,} bytes. An .xlsx"
            " file may have more."
        )
    workbook = WorkbookLook(limits)
    parts = _sheet_parts(archive)
    workbook.check_sheets(len(parts))
    if len(set(parts)) < len(parts):
        raise ValueError("sheets that share a part")
    lengths = _string_lengths(archive)
    for part in parts:
        look = workbook.add_sheet()
        if part in archive.NameToInfo:
            workbook.count_copied(_look_at_sheet(archive.read(part), lengths, look))
    return workbook.unread


def _string_lengths(archive: ZipFile) -> Sequence[int]:
    """Return the lengths of the shared strings, which calamine copies into every referring cell.

    [MS-XLSB] 2.4.763 BrtSSTItem: one byte, then the number of characters.
    """
    lengths = array("L")
    if STRINGS in archive.NameToInfo:
        for kind, content in _records(archive.read(STRINGS)):
            if kind == _STRING:
                lengths.append(int.from_bytes(content[1:5], "little"))
    return lengths


def _sheet_parts(archive: ZipFile) -> list[str]:
    targets = _targets(archive.read(RELATIONS))
    return [
        targets[_relation_id(content)]
        for kind, content in _records(archive.read(WORKBOOK))
        if kind == _BUNDLE_SHEET
    ]


def _targets(relations: bytes) -> dict[str, str]:
    """Return the names of parts by their relation ids."""
    targets: dict[str, str] = {}

    def start(_: str, attributes: dict[str, str]) -> None:
        if "Id" in attributes:
            part = normpath(join("/xl", attributes.get("Target", "")))
            targets[attributes["Id"]] = part.lstrip("/")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.Parse(relations, True)
    return targets


def _relation_id(content: memoryview) -> str:
    """Return the relation id of a sheet.

    [MS-XLSB] 2.4.313 BrtBundleSh: state and id of the sheet, then its relation id.
    """
    (length,) = struct.unpack_from("<L", content, 8)
    return bytes(content[12 : 12 + 2 * length]).decode("utf-16-le")


def _records(data: bytes) -> Iterator[Record]:
    """Yield the records ([MS-XLSB] 2.1.4). Kind and size are numbers of seven bits per byte."""
    view = memoryview(data)
    offset = 0
    while offset < len(view):
        kind, offset = _number(view, offset, 2)
        size, offset = _number(view, offset, 4)
        yield kind, view[offset : offset + size]
        offset += size


def _number(view: memoryview, offset: int, max_bytes: int) -> tuple[int, int]:
    value = 0
    for place in range(max_bytes):
        byte = view[offset]
        offset += 1
        value |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return value, offset


def _look_at_sheet(data: bytes, string_lengths: Sequence[int], look: SheetLook) -> int:
    """Scan a sheet and return the number of characters of shared strings in its cells."""
    row = char_count = 0
    for kind, content in _records(data):
        if kind == _ROW:
            row = int.from_bytes(content[:4], "little")
        elif kind in _CELLS:
            column = int.from_bytes(content[:4], "little")
            look.reach(row, column)
            if kind == _SHARED_STRING:
                char_count += string_lengths[int.from_bytes(content[8:12], "little")]
            elif kind in (_CELL_ERROR, _FORMULA_ERROR):
                look.note_error(row, column, content[8])
        elif kind in _SHORT_CELLS:
            raise ValueError(f"a cell of kind {kind} in row {row + 1}")
    return char_count
