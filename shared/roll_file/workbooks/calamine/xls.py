"""Scan the cells of an old Excel workbook (.xls), record by record ([MS-XLS] 2.1.4)."""

import struct
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from olefile import OleFileIO

from shared.roll_file.limits import Limits
from shared.roll_file.workbooks.calamine.unread_cells import SheetLook, UnreadCells, WorkbookLook
from shared.roll_file.workbooks.calamine.xls_strings import string_lengths
from shared.roll_file.workbooks.faults import password_protected, too_large

STREAMS = ("Workbook", "Book")
_EOF, _FORMULA, _FILE_PASS, _BOUND_SHEET, _BOF = 0x0A, 0x06, 0x2F, 0x85, 0x0809
_MULTIPLE_NUMBERS, _BOOLEAN_OR_ERROR = 0xBD, 0x0205
_DIMENSIONS, _STRINGS, _CONTINUED, _SHARED_STRING = 0x0200, 0xFC, 0x3C, 0xFD
# Number, RK, shared string, label, rich text.
_VALUES = frozenset({0x0203, 0x027E, _SHARED_STRING, 0x0204, 0xD6})

# Kind, content, and where the next record begins.
Record = tuple[int, memoryview, int]


def look_at_xls(stream: BinaryIO, limits: Limits) -> dict[int, UnreadCells]:
    """Return the unread cells of every sheet, by sheet number.

    Memory is twice the size of the file, which has a limit. Raises `FileFault` WORKBOOK_TOO_LARGE
    and PASSWORD_PROTECTED, and what olefile and struct raise for damage.
    """
    if stream.seek(0, 2) > limits.max_xls_bytes:
        raise too_large(
            f"An .xls file may have at most {limits.max_xls_bytes:,} bytes. An .xlsx file"
            " may have more."
        )
    data = _workbook_stream(stream)
    offsets = []
    strings: list[memoryview] = []
    last_kind = 0
    for kind, content, _ in _substream(data, 0):
        if kind == _BOUND_SHEET:
            offsets.append(int.from_bytes(content[:4], "little"))
        elif kind == _STRINGS:
            if int.from_bytes(content[4:8], "little") > len(data):
                raise ValueError("more strings than bytes")
            strings = [content]
        elif kind == _CONTINUED and last_kind == _STRINGS:
            strings.append(content)
        last_kind = last_kind if kind == _CONTINUED else kind
    return _look_at_sheets(data, offsets, string_lengths(strings), WorkbookLook(limits))


def _workbook_stream(stream: BinaryIO) -> memoryview:
    stream.seek(0)
    with OleFileIO(stream) as file:
        name = next(name for name in STREAMS if file.exists(name))
        return memoryview(file.openstream(name).read())


def _substream(data: memoryview, offset: int) -> Iterator[Record]:
    """Yield the records from a BOF to the next EOF.

    Calamine ends there too. An embedded chart comes after the cells.
    """
    if data[offset : offset + 2] != _BOF.to_bytes(2, "little"):
        raise ValueError("a sheet that does not begin")
    while offset + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, offset)
        if kind == _EOF:
            return
        if kind == _FILE_PASS:
            raise password_protected()
        end = offset + 4 + size
        yield kind, data[offset + 4 : end], end
        offset = end


def _look_at_sheets(
    data: memoryview, offsets: Sequence[int], lengths: Sequence[int], workbook: WorkbookLook
) -> dict[int, UnreadCells]:
    """Scan the sheets in the order of their offsets, so two sheets cannot share records."""
    workbook.check_sheets(len(offsets))
    unread: dict[int, UnreadCells] = {}
    end = 0
    for number in sorted(range(len(offsets)), key=offsets.__getitem__):
        if offsets[number] < end:
            raise ValueError("sheets that share their records")
        look = workbook.add_sheet()
        end, char_count = _look_at_sheet(data, offsets[number], lengths, look)
        workbook.count_copied(char_count)
        unread[number] = look.unread
    return unread


def _look_at_sheet(
    data: memoryview, offset: int, lengths: Sequence[int], look: SheetLook
) -> tuple[int, int]:
    """Return the end of the sheet, and the number of characters of shared strings in its cells."""
    end, char_count = offset + 4, 0
    for kind, content, end in _substream(data, offset):  # noqa: B007
        if kind == _DIMENSIONS:
            # Calamine allocates memory for as many cells as the sheet claims to have.
            first_row, rows, first_column, columns = struct.unpack_from("<LLHH", content)
            if first_row > rows or first_column > columns:
                raise ValueError("a sheet that ends before it begins")
            look.check_size(rows, columns)
        elif kind in _VALUES:
            look.reach(*struct.unpack_from("<HH", content))
            char_count += _shared_chars(content, lengths) if kind == _SHARED_STRING else 0
        elif kind == _MULTIPLE_NUMBERS:
            look.reach(
                int.from_bytes(content[:2], "little"), int.from_bytes(content[-2:], "little")
            )
        elif kind in (_BOOLEAN_OR_ERROR, _FORMULA):
            row, column = struct.unpack_from("<HH", content)
            look.reach(row, column)
            error = _error(kind, content)
            if error is not None:
                look.note_error(row, column, error)
    return end, char_count


def _shared_chars(content: memoryview, lengths: Sequence[int]) -> int:
    """Return the length of a cell's shared string ([MS-XLS] 2.4.149 LabelSst).

    Calamine skips a cell whose string does not exist.
    """
    index = int.from_bytes(content[6:10], "little")
    return lengths[index] if index < len(lengths) else 0


def _error(kind: int, content: memoryview) -> int | None:
    """Return the byte of an error, or None ([MS-XLS] 2.5.10 Bes, 2.5.133 FormulaValue)."""
    if kind == _BOOLEAN_OR_ERROR:
        return content[6] if content[7] else None
    is_error = bytes(content[12:14]) == b"\xff\xff" and content[6] == 2
    return content[8] if is_error else None
