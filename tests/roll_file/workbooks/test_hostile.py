"""Small .xls, .xlsb and .ods files that need much memory in calamine are refused before it."""

import struct
from collections.abc import Callable
from io import BytesIO
from random import Random
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from shared.roll_file.errors import FileCode
from shared.roll_file.limits import MIB
from shared.roll_file.rows.row import Row
from tests.roll_file.binary_samples import (
    biff,
    biff_substream,
    biff_text,
    ods_cell,
    ods_roll,
    ods_row,
    record,
    xls_roll,
    xlsb_roll,
)
from tests.roll_file.roll_samples import exit_status, fault_of, repacked, rows_of

LABELS = ["ID", "Mail"]
VOTER = ["1", "a@b.cd"]
XLSB = xlsb_roll([LABELS, VOTER])
SHEET = "xl/worksheets/sheet1.bin"
PART_RELATION = b'<Relationship Id="rId2" Target="worksheets/sheet2.bin"/></Relationships>'


def sheet_of(rows: int) -> bytes:
    cells = [LABELS, *[VOTER] * (rows - 1)]
    return biff_substream(
        *(biff_text(row, column, cells[row][column]) for row in range(rows) for column in (0, 1))
    )


def xlsb_of_sheets(*relations: str) -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<L", len(value)) + value.encode("utf-16-le")

    def workbook(_: bytes) -> bytes:
        sheets = (
            record(156, struct.pack("<LL", 0, number) + text(relation) + text(f"R{number}"))
            for number, relation in enumerate(relations)
        )
        return b"".join((record(131), record(143), *sheets, record(144), record(132)))

    return repacked(XLSB, {"xl/workbook.bin": workbook})


def xlsb_of_references(text: str, count: int) -> bytes:
    """An .xlsb file with one shared string and `count` cells that refer to it."""

    def insert(sheet: bytes) -> bytes:
        cells = b"".join(
            record(0, struct.pack("<L", row) + bytes(13)) + record(7, bytes(12))
            for row in range(2, count + 2)
        )
        return sheet.replace(record(146), cells + record(146))

    data = BytesIO(repacked(XLSB, {SHEET: insert}))
    string = bytes(1) + struct.pack("<L", len(text)) + text.encode("utf-16-le")
    table = record(159, struct.pack("<LL", 1, 1)) + record(19, string) + record(160)
    with ZipFile(data, "a", ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.bin", table)
    return data.getvalue()


def xls_of_references(text: str, count: int) -> bytes:
    """An .xls file with one shared string and `count` cells that refer to it."""
    table = struct.pack("<LLHB", 1, 1, len(text), 0) + text.encode()
    cells = (biff(0xFD, struct.pack("<HHHL", row, 0, 0, 0)) for row in range(1, count + 1))
    header = (biff_text(0, column, label) for column, label in enumerate(LABELS))
    return xls_roll([0], [biff_substream(*header, *cells)], biff(0xFC, table))


def long_text(size: int, attributes: str = "") -> str:
    return ods_cell(f"<text:p>{'x' * size}</text:p>", f'office:value-type="string" {attributes}')


def manifest(size: int) -> bytes:
    """A manifest whose compression ratio is low enough for the check of the zip."""
    noise = Random(1).randbytes(size // 200).translate(bytes(range(48, 112)) * 4)  # noqa: S311
    return b"<m>" + noise.replace(b"<", b" ") + b" " * size + b"</m>"


HOSTILE: dict[str, tuple[Callable[[], bytes], FileCode]] = {
    "spaces that stand for 2 GB": (
        lambda: ods_roll(ods_row(ods_cell('<text:p>A<text:s text:c="2000000000"/>B</text:p>'))),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "a million spaces in each of many cells": (
        lambda: ods_roll(ods_row(ods_cell('<text:p><text:s text:c="1000000"/></text:p>')) * 3000),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "fewer spaces than none": (
        lambda: ods_roll(ods_row(ods_cell('<text:p><text:s text:c="-5"/></text:p>'))),
        FileCode.UNREADABLE_FILE,
    ),
    "a long text in 900 columns": (
        lambda: ods_roll(ods_row(long_text(1_000_000, 'table:number-columns-repeated="900"'))),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "a long text in 3,000 rows": (
        lambda: ods_roll(ods_row(long_text(1_000_000), times=3000)),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "a long formula in 3,000 rows": (
        lambda: ods_roll(ods_row(ods_cell("", f'table:formula="{"x" * 1_000_000}"'), times=3000)),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "a value without a type in very many columns": (
        lambda: ods_roll(
            ods_row(ods_cell("", 'office:value="1" table:number-columns-repeated="4000000000"'))
        ),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "a formula without a result in millions of cells": (
        lambda: ods_roll(ods_row(ods_cell("", 'table:formula="x"'), times=1_000_000)),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "tables that reach far together": (
        lambda: ods_roll(
            "",
            after=f'<table:table table:name="a">{ods_row(long_text(1), times=300_000)}'
            "</table:table>" * 20,
        ),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "very many empty tables": (
        lambda: ods_roll("", after='<table:table table:name="a"/>' * 20_000),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "tables within tables": (
        lambda: ods_roll("", after="<table:table>" * 100_000 + "</table:table>" * 100_000),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "a manifest of 100 MB": (
        lambda: ods_roll("", manifest=manifest(100 * MIB)),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "very many old sheets that are one": (
        lambda: xls_roll([0] * 1000, [sheet_of(8_000)]),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "some old sheets that are one": (
        lambda: xls_roll([0] * 400, [sheet_of(8_000)]),
        FileCode.UNREADABLE_FILE,
    ),
    "old sheets within one another": (
        lambda: xls_roll(
            range(300),
            [*[biff_substream()[:20]] * 299, sheet_of(8_000)],
        ),
        FileCode.UNREADABLE_FILE,
    ),
    "an old sheet that does not begin": (
        lambda: xls_roll([0], [sheet_of(5)[20:]]),
        FileCode.UNREADABLE_FILE,
    ),
    "a shared string of an old sheet in very many cells": (
        lambda: xls_of_references("x" * 8000, 60_000),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "very many binary sheets on one part": (
        lambda: xlsb_of_sheets(*["rId1"] * 2000),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
    "two binary sheets on one part": (
        lambda: xlsb_of_sheets("rId1", "rId1"),
        FileCode.UNREADABLE_FILE,
    ),
    "a long shared string in very many cells": (
        lambda: xlsb_of_references("x" * 1_000_000, 98_000),
        FileCode.WORKBOOK_TOO_LARGE,
    ),
}


@pytest.mark.parametrize(("make", "code"), HOSTILE.values(), ids=HOSTILE)
def test_a_small_file_that_would_become_a_lot_is_refused(
    make: Callable[[], bytes], code: FileCode
) -> None:
    data = make()
    assert len(data) < 2 * MIB
    assert exit_status(data, memory_mib=100, cpu_seconds=5) == 0
    assert fault_of(data).code is code


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (xls_roll([0], [sheet_of(2)]), [(2, VOTER)]),
        (xls_roll([1, 0], [biff_substream(), sheet_of(2)]), [(2, VOTER)]),
        (
            xls_of_references("x" * 300, 3),
            [(line, ["x" * 300, None]) for line in (2, 3, 4)],
        ),
        (xlsb_of_references("x" * 300, 2), [(2, VOTER), (3, ["x" * 300, None])] * 1),
        (
            ods_roll(
                ods_row(*(ods_cell(f"<text:p>{text}</text:p>") for text in VOTER), times=2)
                + ods_row(long_text(30_000, 'table:number-columns-repeated="2"'), times=10)
            ),
            [(2, VOTER), (3, VOTER), *((line, ["x" * 30_000] * 2) for line in range(4, 14))],
        ),
        (
            ods_roll(ods_row(ods_cell('<text:p>A<text:s text:c="3"/>B</text:p>'))),
            [(2, ["A   B", None])],
        ),
    ],
)
def test_what_an_honest_file_repeats_is_read(data: bytes, rows: list[Row]) -> None:
    assert rows_of(data)[: len(rows)] == rows
