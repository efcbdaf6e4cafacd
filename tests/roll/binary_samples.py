"""A binary workbook (.xlsb) of a few cells; no library writes this format."""

import struct
from collections.abc import Iterable, Sequence
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

ERROR_BYTES = {"#N/A": 0x2A, "#DIV/0!": 0x07}
_RELATIONS = (
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    'relationships/{kind}" Target="{target}"/></Relationships>'
)


def xlsb_roll(rows: Iterable[Sequence[object]], *, first_row: int = 0) -> bytes:
    """One sheet; a text that is an Excel error becomes that error."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr(
            "_rels/.rels", _RELATIONS.format(kind="officeDocument", target="xl/workbook.bin")
        )
        archive.writestr(
            "xl/_rels/workbook.bin.rels",
            _RELATIONS.format(kind="worksheet", target="worksheets/sheet1.bin"),
        )
        archive.writestr("xl/workbook.bin", _workbook())
        archive.writestr("xl/worksheets/sheet1.bin", _sheet(rows, first_row))
    return file.getvalue()


def record(kind: int, content: bytes = b"") -> bytes:
    """[MS-XLSB] 2.1.4, with a size of up to 2**28."""
    head = bytes([kind]) if kind < 0x80 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size = len(content)
    while size >= 0x80:
        head += bytes([size & 0x7F | 0x80])
        size >>= 7
    return head + bytes([size]) + content


def _workbook() -> bytes:
    sheet = struct.pack("<LL", 0, 1) + _text("rId1") + _text("Roll")
    return b"".join((record(131), record(143), record(156, sheet), record(144), record(132)))


def _sheet(rows: Iterable[Sequence[object]], first_row: int) -> bytes:
    parts = [record(129), record(148, bytes(16)), record(145)]
    for number, row in enumerate(rows, start=first_row):
        parts.append(record(0, struct.pack("<L", number) + bytes(13)))
        parts += [_cell(column, value) for column, value in enumerate(row) if value is not None]
    return b"".join((*parts, record(146), record(130)))


def _cell(column: int, value: object) -> bytes:
    place = struct.pack("<LL", column, 0)
    match value:
        case bool():
            return record(4, place + bytes([value]))
        case int() | float():
            return record(5, place + struct.pack("<d", value))
        case str() if value in ERROR_BYTES:
            return record(3, place + bytes([ERROR_BYTES[value]]))
        case _:
            return record(6, place + _text(str(value)))


def _text(text: str) -> bytes:
    return struct.pack("<L", len(text)) + text.encode("utf-16-le")
