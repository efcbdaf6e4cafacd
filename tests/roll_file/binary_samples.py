"""Small .xlsb, .ods and .xls files, written by hand. No library writes .xlsb."""

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
    """An .xlsb file with one sheet. A text that names an Excel error becomes that error."""
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
    """A record of an .xlsb file with a size below 2**28 ([MS-XLSB] 2.1.4)."""
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


def ods_roll(table: str, *, after: str = "", manifest: bytes = b"<m/>") -> bytes:
    """An .ods file with one table. `table` is the XML of its rows below the header."""
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    header = ods_row(ods_cell("<text:p>ID</text:p>"), ods_cell("<text:p>Mail</text:p>"))
    content = (
        f"<office:document-content {names}><office:body><office:spreadsheet>"
        f'<table:table table:name="Roll">{header}{table}</table:table>{after}'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr("META-INF/manifest.xml", manifest)
    return file.getvalue()


def ods_row(*cells: str, times: int = 1) -> str:
    """A row that is repeated `times` times."""
    return (
        f'<table:table-row table:number-rows-repeated="{times}">{"".join(cells)}</table:table-row>'
    )


def ods_cell(content: str, attributes: str = 'office:value-type="string"') -> str:
    """A cell with this content."""
    return f"<table:table-cell {attributes}>{content}</table:table-cell>"


def xls_roll(sheets: Sequence[int], substreams: Sequence[bytes], strings: bytes = b"") -> bytes:
    """An .xls file. `sheets` holds the number of each sheet's substream, perhaps one repeatedly.

    `strings` is the record with the table of shared strings.
    """
    bound = [
        biff(0x85, bytes(6) + bytes([4, 0]) + b"%04d" % number) for number in range(len(sheets))
    ]
    head_bytes = len(biff_substream(*bound, strings))
    starts = [head_bytes + sum(map(len, substreams[:number])) for number in range(len(substreams))]
    bound = [
        record[:4] + struct.pack("<L", starts[sheet]) + record[8:]
        for record, sheet in zip(bound, sheets, strict=True)
    ]
    return _ole_file(b"".join((biff_substream(*bound, strings), *substreams)))


def biff(kind: int, content: bytes = b"") -> bytes:
    """A record of an .xls file ([MS-XLS] 2.1.4)."""
    return struct.pack("<HH", kind, len(content)) + content


def biff_substream(*records: bytes) -> bytes:
    """Records between a BOF of Excel 97 and an EOF."""
    return b"".join(
        (biff(0x0809, struct.pack("<HHHHLL", 0x0600, 5, 0, 0, 0, 0)), *records, biff(0x0A))
    )


def biff_text(row: int, column: int, text: str) -> bytes:
    """A cell that contains its text ([MS-XLS] 2.4.148, Label)."""
    return biff(
        0x0204, struct.pack("<HHHHB", row, column, 0, len(text), 0) + text.encode("latin-1")
    )


def _ole_file(stream: bytes) -> bytes:
    """A compound file with one stream, "Workbook", in sectors of 512 bytes ([MS-CFB] 2).

    The first sectors hold the allocation table. The next one holds the directory.
    """
    sectors = max(len(stream) // 512 + 1, 8)
    tables = (sectors + 1) // 127 + 1
    first = tables + 1
    chain = [0xFFFFFFFD] * tables + [0xFFFFFFFE]
    chain += [*range(first + 1, first + sectors), 0xFFFFFFFE]
    chain += [0xFFFFFFFF] * (tables * 128 - len(chain))
    head = struct.pack(
        "<8s16xHHHHH6xLLLLLLLLL",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0x3E, 3, 0xFFFE, 9, 6,
        0, tables, tables, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0,
    )  # fmt: skip
    places = [*range(tables), *[0xFFFFFFFF] * (109 - tables)]
    entries = _entry("Root Entry", 5, 0xFFFFFFFE, 0) + _entry("Workbook", 2, first, sectors * 512)
    return b"".join(
        (
            head,
            struct.pack("<109L", *places),
            struct.pack(f"<{len(chain)}L", *chain),
            entries.ljust(512, b"\x00"),
            stream.ljust(sectors * 512, b"\x00"),
        )
    )


def _entry(name: str, kind: int, first_sector: int, size: int) -> bytes:
    """A directory entry ([MS-CFB] 2.6.1). The stream is the only child of the root."""
    child = 1 if kind == 5 else 0xFFFFFFFF
    return struct.pack(
        "<64sHBBLLL36xLQ",
        name.encode("utf-16-le"), 2 * len(name) + 2, kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child,
        first_sector, size,
    )  # fmt: skip
