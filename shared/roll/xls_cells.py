"""A look at the cells of an old Excel workbook (.xls), record by record ([MS-XLS] 2.1.4)."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

from olefile import OleFileIO

from shared.roll.limits import Limits
from shared.roll.unread_cells import SheetLook, UnreadCells
from shared.roll.workbook_faults import password_protected, too_large

STREAMS = ("Workbook", "Book")
_EOF, _FORMULA, _FILE_PASS, _BOUND_SHEET, _BOF = 0x0A, 0x06, 0x2F, 0x85, 0x0809
_MULTIPLE_NUMBERS, _BOOLEAN_OR_ERROR = 0xBD, 0x0205
_DIMENSIONS, _STRINGS = 0x0200, 0xFC
# Number, RK, shared string, label, rich text.
_VALUES = frozenset({0x0203, 0x027E, 0xFD, 0x0204, 0xD6})

Record = tuple[int, memoryview]


def look_at_xls(stream: BinaryIO, limits: Limits) -> dict[int, UnreadCells]:
    """The unread cells of every sheet, by its number.

    Memory is twice the file's size, which is bounded. Raises `FileFault` WORKBOOK_TOO_LARGE and
    PASSWORD_PROTECTED, and what olefile and struct raise for damage.
    """
    if stream.seek(0, 2) > limits.max_xls_bytes:
        raise too_large(
            f"An .xls file may have at most {limits.max_xls_bytes:,} bytes; saved as .xlsx it may"
            " have more."
        )
    data = _workbook_stream(stream)
    sheets = []
    for kind, content in _substream(data, 0):
        if kind == _BOUND_SHEET:
            sheets.append(int.from_bytes(content[:4], "little"))
        elif kind == _STRINGS and int.from_bytes(content[4:8], "little") > len(data):
            raise ValueError("more strings than bytes")
    return {number: _look_at_sheet(data, offset, limits) for number, offset in enumerate(sheets)}


def _workbook_stream(stream: BinaryIO) -> memoryview:
    stream.seek(0)
    with OleFileIO(stream) as file:
        name = next(name for name in STREAMS if file.exists(name))
        return memoryview(file.openstream(name).read())


def _substream(data: memoryview, offset: int) -> Iterator[Record]:
    """The records from a BOF to its EOF, without those of what is nested in it."""
    depth = 0
    while offset + 4 <= len(data):
        kind, size = struct.unpack_from("<HH", data, offset)
        if kind == _BOF:
            depth += 1
        elif kind == _EOF:
            depth -= 1
        elif kind == _FILE_PASS:
            raise password_protected()
        elif depth == 1:
            yield kind, data[offset + 4 : offset + 4 + size]
        if depth == 0:
            return
        offset += 4 + size


def _look_at_sheet(data: memoryview, offset: int, limits: Limits) -> UnreadCells:
    look = SheetLook(limits)
    for kind, content in _substream(data, offset):
        if kind == _DIMENSIONS:
            # Calamine sets memory aside for as many cells as the sheet claims to have.
            first_row, rows, first_column, columns = struct.unpack_from("<LLHH", content)
            if first_row > rows or first_column > columns:
                raise ValueError("a sheet that ends before it begins")
            look.check_size(rows, columns)
        elif kind in _VALUES:
            look.reach(*struct.unpack_from("<HH", content))
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
    return look.unread


def _error(kind: int, content: memoryview) -> int | None:
    """[MS-XLS] 2.5.10 Bes, and 2.5.133 FormulaValue: the byte of an error, if it is one."""
    if kind == _BOOLEAN_OR_ERROR:
        return content[6] if content[7] else None
    is_error = bytes(content[12:14]) == b"\xff\xff" and content[6] == 2
    return content[8] if is_error else None
