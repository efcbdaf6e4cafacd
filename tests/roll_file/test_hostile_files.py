"""Hostile files end with an error message, within limits of memory and time."""

import struct
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO, RawIOBase
from typing import BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.limits import Limits
from shared.roll_file.reader import open_roll
from shared.roll_file.rows.validation import compile_validator
from tests.roll_file.roll_samples import (
    CLEAN,
    SHEET,
    csv_roll,
    exit_status,
    fault_of,
    repacked,
    with_cells,
    with_strings,
    xlsx_roll,
)

GIB = 1024**3
MIB = 1024**2
HEAD = b"ID,Mail\n"


class Endless(RawIOBase):
    """A huge seekable file that needs no disk: a head, then one repeated block."""

    def __init__(self, head: bytes, block: bytes, size: int) -> None:
        self._head = head
        self._block = block * (64 * 1024 // len(block) + 1)
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = offset + (0, self._at, self._size)[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1, /) -> bytes:
        size = min(size, self._size - self._at, 64 * 1024)
        data = (self._head[self._at :] + self._block)[:size]
        self._at += len(data)
        return data


@contextmanager
def memory_below(limit_bytes: int) -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < limit_bytes


def outcome_of(stream: BinaryIO, limits: Limits | None = None) -> FileCode | int:
    """The code of the fault, or the number of rows."""
    try:
        with open_roll(stream, limits=limits or Limits()) as reader:
            validate = compile_validator(reader.header)
            count = 0
            for line, cells in reader:
                validate(line, cells)
                count += 1
            return count
    except FileFault as fault:
        return fault.code


@pytest.mark.parametrize(
    ("head", "block"),
    [
        (HEAD, b"x"),
        (b"", b"x"),
        (HEAD * 9000, b"\x00"),
        (HEAD + b'"', b"x,"),
        ("\ufeff".encode(), b"x"),
    ],
)
def test_a_line_of_a_gigabyte_is_refused_in_little_memory(head: bytes, block: bytes) -> None:
    stream = cast("BinaryIO", Endless(head, block, 256 * MIB))
    with memory_below(8 * MIB):
        assert outcome_of(stream) is FileCode.LINE_TOO_LONG


def test_a_gigabyte_of_zeros_is_refused_at_once() -> None:
    assert outcome_of(cast("BinaryIO", Endless(b"", b"\x00", GIB))) is FileCode.UNSUPPORTED_FORMAT


@pytest.mark.parametrize("row", [b"\n", b",,\n", b"," * 300 + b"\n"])
def test_many_blank_rows_above_or_below_a_header_are_refused(row: bytes) -> None:
    limits = Limits(max_blank_rows=1000)
    data = HEAD + b"1,a@b.cd\n" + row * 1001
    assert outcome_of(BytesIO(data), limits) is FileCode.TOO_MANY_ROWS
    assert outcome_of(BytesIO(data[: -len(row)]), limits) == 1001
    assert outcome_of(BytesIO(row * 10_001 + HEAD)) is FileCode.EMPTY_FILE


def test_too_many_columns_are_refused_and_blank_ones_not_counted() -> None:
    labels = b"ID,Mail" + b",x" * 998
    rows = b"\n1,a@b.cd" + b",y" * 998 + b"\n"
    assert outcome_of(BytesIO(labels + b"," * 20_000 + rows)) == 1
    assert outcome_of(BytesIO(labels + b",x" + rows)) is FileCode.TOO_MANY_COLUMNS
    assert outcome_of(BytesIO(b"x," * 500_000 + b"\n" + labels)) is FileCode.TOO_MANY_COLUMNS


def test_a_line_of_utf16_without_an_end_is_refused() -> None:
    stream = cast("BinaryIO", Endless(b"\xff\xfe", b"\x0a\x0a", 16 * MIB))
    assert outcome_of(stream) is FileCode.LINE_TOO_LONG


def test_the_line_that_is_too_long_is_named() -> None:
    data = HEAD + b"1,a@b.cd\r\n" * 50_000 + b"x" * (2 * MIB) + b"\n"
    fault = fault_of(data)
    assert fault.code is FileCode.LINE_TOO_LONG
    assert "Line 50,002 " in fault.message


def test_a_quoted_cell_without_an_end_is_not_kept_in_memory() -> None:
    data = HEAD + b'1,"' + b"x\n" * (4 * MIB)
    with memory_below(24 * MIB):
        assert outcome_of(BytesIO(data)) is FileCode.UNCLOSED_QUOTE


def test_memory_does_not_grow_with_the_rows() -> None:
    data = csv_roll([CLEAN] * 40_000)
    with memory_below(2 * MIB):
        assert outcome_of(BytesIO(data)) == 40_000


def test_memory_does_not_grow_with_the_rows_of_a_sheet() -> None:
    rows = "".join(
        f'<row r="{row}"><c r="A{row}"><v>{row}</v></c></row><row r="{row + 1}"/>'
        for row in range(2, 20_000, 2)
    )
    data = with_cells(rows)
    with memory_below(4 * MIB):
        assert outcome_of(BytesIO(data)) == 19_997


@pytest.mark.parametrize(
    "xml",
    [
        '<row r="2"><c r="A2" t="inlineStr"><is><t>' + "x" * (20 * MIB),
        '<row r="2"><c r="A2" t="str"><v>' + "x<!-- -->" * (2 * MIB),
        '<row r="2"><c r="A2" t="inlineStr"><is>' + "<t>xxxxxxxxxxxxxxxx</t>" * MIB,
    ],
)
def test_a_huge_cell_is_refused_in_little_memory(xml: str) -> None:
    data = with_cells(xml)
    with memory_below(8 * MIB):
        assert outcome_of(BytesIO(data)) is FileCode.WORKBOOK_TOO_LARGE


@pytest.mark.parametrize(
    "xml",
    [" " * (20 * MIB), "<row/>" * 100_000, '<row r="2">' + "<c/>" * 20_000, "<x/>" * 200_000],
)
def test_much_of_nothing_is_read_in_little_memory(xml: str) -> None:
    data = with_cells(xml)
    # openpyxl keeps an empty element of about 80 bytes for each element that it has passed.
    with memory_below(40 * MIB):
        assert outcome_of(BytesIO(data)) in (
            0,
            FileCode.UNREADABLE_FILE,
            FileCode.WORKBOOK_TOO_LARGE,
        )


@pytest.mark.parametrize("part", ["_rels/.rels", "xl/workbook.xml", "xl/styles.xml", SHEET])
def test_a_document_type_is_refused_in_every_part(part: str) -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    data = repacked(xlsx_roll([CLEAN]), {part: lambda xml: with_prolog(xml, bomb)})
    fault = fault_of(data)
    assert fault.code is FileCode.UNREADABLE_FILE
    assert "declarations" in fault.message


def with_prolog(xml: bytes, prolog: bytes) -> bytes:
    start = xml.index(b"?>") + 2 if xml.startswith(b"<?xml") else 0
    return xml[:start] + b"<!--" + b"x" * 70_000 + b"-->" + prolog + xml[start:]


def archive_of(*members: tuple[str, bytes]) -> bytes:
    file = BytesIO()
    with ZipFile(BytesIO(xlsx_roll([CLEAN]))) as old, ZipFile(file, "w", ZIP_DEFLATED) as new:
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
        for name, content in members:
            new.writestr(ZipInfo(name), content, ZIP_DEFLATED)
    return file.getvalue()


def with_field(data: bytes, name: str, offset: int, value: int) -> bytes:
    """The zip with a four-byte field of a member's directory record changed (APPNOTE 4.3.12)."""
    at = data.rindex(name.encode()) - 46 + offset
    return data[:at] + struct.pack("<L", value) + data[at + 4 :]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (archive_of(*((f"x{i}", b"") for i in range(500))), FileCode.WORKBOOK_TOO_LARGE),
        (archive_of(("../x", b"")), FileCode.UNREADABLE_FILE),
        (archive_of(("/x", b"")), FileCode.UNREADABLE_FILE),
        (archive_of(("a\\..\\x", b"")), FileCode.UNREADABLE_FILE),
        (archive_of(("XL/Workbook.xml", b"")), FileCode.UNREADABLE_FILE),
        (archive_of(("x", bytes(64 * MIB))), FileCode.WORKBOOK_TOO_LARGE),
        (with_field(archive_of(), SHEET, 24, 0xFFFFFFF0), FileCode.WORKBOOK_TOO_LARGE),
        (with_field(archive_of(), SHEET, 20, 0x7FFFFFFF), FileCode.UNREADABLE_FILE),
        (with_field(archive_of(), SHEET, 42, 0), FileCode.UNREADABLE_FILE),
        (with_field(archive_of(), SHEET, 8, 0x00080001), FileCode.PASSWORD_PROTECTED),
        (with_field(archive_of(), SHEET, 8, 0x00630000), FileCode.UNREADABLE_FILE),
        (with_field(archive_of(), SHEET, 24, 100), FileCode.UNREADABLE_FILE),
        (b"PK\x05\x06" + bytes(18), FileCode.UNREADABLE_FILE),
    ],
)
def test_a_deceptive_zip_is_refused(data: bytes, code: FileCode) -> None:
    assert outcome_of(BytesIO(data)) is code


def test_a_directory_of_a_million_members_is_not_read() -> None:
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0xFFFF, 0xFFFF, 60 * MIB, 4, 0)
    data = b"PK\x03\x04" + bytes(60 * MIB) + end
    with memory_below(MIB):
        assert outcome_of(BytesIO(data)) is FileCode.WORKBOOK_TOO_LARGE


@pytest.mark.parametrize(
    ("part", "limits"),
    [
        ("xl/workbook.xml", Limits(max_small_part_bytes=100)),
        (SHEET, Limits(max_part_bytes=100)),
        ("all of them", Limits(max_total_bytes=1000)),
    ],
)
def test_parts_have_limits(part: str, limits: Limits) -> None:
    assert part
    assert outcome_of(BytesIO(xlsx_roll([CLEAN])), limits) is FileCode.WORKBOOK_TOO_LARGE


def test_a_huge_shared_string_is_refused() -> None:
    data = with_strings(b"<si><t>" + b"x" * (4 * MIB) + b"</t></si>", "")
    assert outcome_of(BytesIO(data)) is FileCode.WORKBOOK_TOO_LARGE
    data = with_strings(b"<si><t>short</t></si>" * 1000, "")
    assert outcome_of(BytesIO(data), Limits(max_strings_bytes=1000)) is FileCode.WORKBOOK_TOO_LARGE


@given(st.binary(max_size=400))
def test_any_bytes_end_in_rows_or_a_fault(data: bytes) -> None:
    outcome_of(BytesIO(data))


@given(st.binary(max_size=200), st.sampled_from([HEAD, b"\xff\xfeI\x00D\x00,\x00", b"sep=;\n"]))
def test_any_bytes_below_a_header_end_in_rows_or_a_fault(data: bytes, head: bytes) -> None:
    outcome_of(BytesIO(head + data))


@given(st.text(st.sampled_from('1,;"\n\r\x00é@.a '), max_size=60))
def test_any_text_below_a_header_ends_in_rows_or_a_fault(text: str) -> None:
    outcome_of(BytesIO(HEAD + text.encode()))


WORKBOOK = xlsx_roll([CLEAN] * 3)


@given(st.integers(0, len(WORKBOOK) - 1), st.binary(min_size=1, max_size=6))
def test_any_damage_to_a_workbook_ends_in_rows_or_a_fault(at: int, damage: bytes) -> None:
    outcome_of(BytesIO(WORKBOOK[:at] + damage + WORKBOOK[at + len(damage) :]))


@given(st.sampled_from(["_rels/.rels", "xl/workbook.xml", "xl/styles.xml", SHEET]), st.data())
def test_any_damage_to_a_part_ends_in_rows_or_a_fault(part: str, data: st.DataObject) -> None:
    def damage(xml: bytes) -> bytes:
        at = data.draw(st.integers(0, len(xml)))
        cut = data.draw(st.integers(0, 20))
        return xml[:at] + data.draw(st.binary(max_size=5)) + xml[at + cut :]

    outcome_of(BytesIO(repacked(WORKBOOK, {part: damage})))


def endless(start: str, step: str, count: int, end: str = "") -> str:
    return start + step * count + end


def insert_xml(data: bytes, part: str, before: bytes, xml: bytes) -> bytes:
    """The workbook with more XML in one of its parts."""
    return repacked(data, {part: lambda old: old.replace(before, xml + before, 1)})


HOSTILE: dict[str, Callable[[], bytes]] = {
    "a long table of strings": lambda: with_strings(b"<si><t>s</t></si>" * 2_500_000, ""),
    "very many empty rows": lambda: with_cells(
        "".join(f'<row r="{i}"/>' for i in range(2, 400_000))
    ),
    "a row of many cells": lambda: with_cells(
        endless('<row r="2">', "<c><v>1</v></c>", 900_000, "</row>")
    ),
    "a row far down": lambda: with_cells('<row r="1000000000000"><c><v>1</v></c></row>'),
    "a cell far away": lambda: with_cells('<row r="2"><c r="XFD1048576"><v>1</v></c></row>'),
    "a huge cell": lambda: with_cells(
        endless('<row r="2"><c r="A2" t="inlineStr"><is><t>', "x", 60 * MIB, "</t></is></c></row>")
    ),
    "white space without end": lambda: with_cells(endless('<row r="2">', " ", 60 * MIB, "</row>")),
    "very many styles": lambda: insert_xml(
        WORKBOOK, "xl/styles.xml", b"</cellXfs>", b'<xf numFmtId="0"/>' * 700_000
    ),
    "very many content types": lambda: insert_xml(
        WORKBOOK,
        "[Content_Types].xml",
        b"</Types>",
        b'<Override PartName="/a" ContentType="b"/>' * 350_000,
    ),
    "very many fonts beside a formula": lambda: insert_xml(
        with_cells('<row r="2"><c r="A2"><f>1</f><v>1</v></c></row>'),
        "xl/styles.xml",
        b"</fonts>",
        b"<font/>" * MIB,
    ),
    "a string of very many runs": lambda: with_strings(
        endless("<si>", "<r><t>x</t></r>", 700_000, "</si>").encode(),
        '<c r="A2" t="s"><v>0</v></c>',
    ),
    "very many different strings beside a formula": lambda: with_strings(
        b"".join(b"<si><t>%d</t></si>" % number for number in range(2_000_000)),
        '<c r="A2"><f>1</f><v>1</v></c>',
    ),
    "dates in very many formats": lambda: insert_xml(
        WORKBOOK, "xl/styles.xml", b"</cellXfs>", b'<xf numFmtId="14"/>' * 700_000
    ),
    "very many sheets on one part": lambda: insert_xml(
        WORKBOOK,
        "xl/workbook.xml",
        b"<sheet ",
        b'<sheet name="A" sheetId="1" r:id="rId1"/>' * 99_000,
    ),
    "cells deep within cells": lambda: with_cells(
        endless('<row r="2">', "<c>", MIB) + endless("", "</c>", MIB, "</row>")
    ),
    "a line of 200 MB": lambda: HEAD + b"x" * (200 * MIB),
    "a quote that swallows 50 MB": lambda: HEAD + b'"' + b"x,y\n" * (12 * MIB),
    "100 MB of blank lines": lambda: HEAD + b"\n" * (100 * MIB),
    "100 MB of blank lines above": lambda: b"\n" * (100 * MIB) + HEAD,
    "rows of a million blank cells": lambda: HEAD + (b"," * 1_000_000 + b"\n") * 32,
    "titles of half a million cells": lambda: (b"x," * 500_000 + b"\n") * 32,
    "50 MB of zeros below a header": lambda: HEAD + bytes(50 * MIB),
}


@pytest.mark.parametrize("make", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_file_needs_little_memory_and_time(make: Callable[[], bytes]) -> None:
    assert exit_status(make(), memory_mib=250, cpu_seconds=15) == 0
