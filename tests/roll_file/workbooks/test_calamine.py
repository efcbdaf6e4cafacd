"""The formats that only calamine reads: .xls, .xlsb and .ods."""

import re
import signal
from collections.abc import Callable
from io import BytesIO
from random import Random
from zipfile import ZipFile

import pytest

from config.settings import PROJECT_ROOT
from shared.roll_file.errors import FileCode, RowCode
from shared.roll_file.formats import Format
from shared.roll_file.limits import Limits, ReadOptions
from shared.roll_file.reader import open_roll
from shared.roll_file.rows.row import NoValue, Row
from shared.roll_file.rows.validation import FaultyRow
from tests.roll_file.binary_samples import record, xlsb_roll
from tests.roll_file.roll_samples import (
    CLEAN,
    LABELS,
    codes_of,
    exit_status,
    fault_of,
    repacked,
    results_of,
)

WORKBOOKS = PROJECT_ROOT / "tests" / "roll_file" / "samples"
XLS = (WORKBOOKS / "libreoffice.xls").read_bytes()
ODS = (WORKBOOKS / "libreoffice.ods").read_bytes()
XLSX = (WORKBOOKS / "libreoffice.xlsx").read_bytes()
XLSB = xlsb_roll([LABELS, CLEAN])
# The beginning of the first record (BOF) of a workbook, up to its type ([MS-XLS] 2.4.21).
XLS_BOF = b"\x09\x08\x10\x00\x00\x06\x05\x00"


def read(data: bytes, options: ReadOptions | None = None, **limits: int) -> list[Row]:
    with open_roll(BytesIO(data), options or ReadOptions(), limits=Limits(**limits)) as reader:
        return [(line, list(cells)) for line, cells in reader]


def ods_with(change: Callable[[bytes], bytes]) -> bytes:
    return repacked(ODS, {"content.xml": change})


@pytest.mark.parametrize("data", [XLS, ODS])
def test_one_workbook_means_the_same_in_every_format(data: bytes) -> None:
    outcomes, expected = results_of(data), results_of(XLSX)
    assert len(outcomes) == len(expected) == 8
    for outcome, other in zip(outcomes, expected, strict=True):
        if isinstance(other, FaultyRow):
            assert codes_of(outcome) == codes_of(other)
        else:
            assert outcome == other


@pytest.mark.parametrize(
    ("data", "file_format"), [(XLS, Format.XLS), (ODS, Format.ODS), (XLSB, Format.XLSB)]
)
def test_the_content_decides_the_format(data: bytes, file_format: Format) -> None:
    with open_roll(BytesIO(data)) as reader:
        assert (reader.format, reader.sheet) == (file_format, "Roll")


@pytest.mark.parametrize("data", [XLS, ODS])
def test_cells_lines_and_sheets_are_those_that_a_person_sees(data: bytes) -> None:
    with open_roll(BytesIO(data)) as reader:
        assert reader.header.line == 3
        assert reader.assumptions == ['The roll was read from the sheet "Roll". Not read: "Notes".']
        rows = {line: list(cells) for line, cells in reader}
    assert rows[4][:6] == ["00101", "Ann", "Lee", "ann@uni.example", "Law", 1]
    assert rows[5][:3] == [10202, "Zoë", "Núñez"]
    assert rows[7][1] == NoValue(RowCode.EXCEL_ERROR, "#N/A")
    assert rows[9] == [
        *(10505, "Gil", "Oak", "gil@uni.example", "Law"),
        NoValue(RowCode.EXCEL_ERROR, "#DIV/0!"),
        "n",
    ]
    assert not any(rows[10])
    assert rows[11][0] == "00909"


@pytest.mark.parametrize("data", [XLS, ODS, XLSX])
def test_a_hidden_sheet_is_read_when_it_is_asked_for(data: bytes) -> None:
    assert read(data, ReadOptions(sheet="Old")) == [(2, ["h1", "h@uni.example"])]
    assert fault_of(data, ReadOptions(sheet="None")).code is FileCode.SHEET_NOT_FOUND


def test_a_binary_workbook_has_its_cells_and_its_errors() -> None:
    rows = [LABELS, ["0042", "Ann", None, "a@x.edu", "#N/A", 3, True], [7.5, "#DIV/0!", "x"]]
    assert read(xlsb_roll(rows, first_row=4)) == [
        (6, ["0042", "Ann", None, "a@x.edu", NoValue(RowCode.EXCEL_ERROR, "#N/A"), 3, True]),
        (7, [7.5, NoValue(RowCode.EXCEL_ERROR, "#DIV/0!"), "x", None, None, None, None]),
    ]


def test_a_formula_of_an_ods_file_without_its_result_is_no_blank() -> None:
    data = ods_with(
        lambda xml: re.sub(
            rb'table:formula="of:=10500\+5" office:value-type="float" office:value="10505"'
            rb' calcext:value-type="float"><text:p>10505</text:p>',
            b'table:formula="of:=10500+5">',
            xml,
        )
    )
    rows = dict(read(data))
    assert rows[9][0] == NoValue(RowCode.FORMULA_NO_VALUE, "of:=10500+5")


def test_a_password_is_asked_to_be_taken_off() -> None:
    at = XLS.index(XLS_BOF)
    after = at + 4 + 16
    encrypted = XLS[:after] + b"\x2f\x00" + XLS[after + 2 :]
    assert fault_of(encrypted).code is FileCode.PASSWORD_PROTECTED
    entry = b"<manifest:file-entry><manifest:encryption-data/></manifest:file-entry></manifest:m"
    encrypted = repacked(
        ODS,
        {
            "META-INF/manifest.xml": lambda xml: xml.replace(b"</manifest:m", entry),
            "content.xml": lambda xml: xml[::-1],
        },
    )
    assert fault_of(encrypted).code is FileCode.PASSWORD_PROTECTED


@pytest.mark.parametrize(
    "limits", [{"max_xls_bytes": 100}, {"max_xlsb_bytes": 100}, {"max_ods_bytes": 100}]
)
def test_a_file_too_large_for_its_format_is_refused_with_advice(limits: dict[str, int]) -> None:
    data = {"max_xls_bytes": XLS, "max_xlsb_bytes": XLSB, "max_ods_bytes": ODS}
    fault = fault_of(data[next(iter(limits))], None, **limits)
    assert fault.code is FileCode.WORKBOOK_TOO_LARGE
    assert "at most 100 bytes" in fault.message
    assert ".xlsx" in fault.message


@pytest.mark.parametrize(
    "data",
    [
        xlsb_roll([LABELS, CLEAN, [*[None] * 16_000, "x"]], first_row=1_000_000),
        ods_with(lambda xml: xml.replace(
            b'<table:table-row table:style-name="ro1">',
            b'<table:table-row table:number-rows-repeated="1048576">')),
        ods_with(lambda xml: xml.replace(
            b'<table:table-cell office:value-type="string"',
            b'<table:table-cell table:number-columns-repeated="99999999"'
            b' office:value-type="string"')),
        ods_with(lambda xml: xml.replace(
            b'<table:table-cell table:formula="of:=1/0"',
            b'<table:table-cell table:number-columns-repeated="99999999"'
            b' table:formula="of:=1/0"')),
    ],
)  # fmt: skip
def test_a_small_file_that_reaches_far_is_refused(data: bytes) -> None:
    assert fault_of(data).code is FileCode.WORKBOOK_TOO_LARGE


def test_cells_that_calamine_would_pass_over_are_no_blanks() -> None:
    sheet = record(0, bytes(17)) + record(18, bytes(8))
    data = repacked(XLSB, {"xl/worksheets/sheet1.bin": lambda _: sheet})
    assert fault_of(data).code is FileCode.UNREADABLE_FILE


@pytest.mark.parametrize(
    "data",
    [ODS[:-30], XLSB[:-30], *(XLS[:length] for length in range(2048, len(XLS) - 512, 512))],
)
def test_half_a_file_is_unreadable(data: bytes) -> None:
    assert fault_of(data).code is FileCode.UNREADABLE_FILE


def damage(data: bytes, dice: Random) -> bytes:
    """The file, or one part of it, with a few bytes changed, added or removed."""

    def change(old: bytes) -> bytes:
        at = dice.randrange(len(old) + 1)
        return old[:at] + dice.randbytes(dice.randrange(5)) + old[at + dice.randrange(8) :]

    if not data.startswith(b"PK") or dice.random() < 0.3:
        return change(data)
    with ZipFile(BytesIO(data)) as archive:
        part = dice.choice(archive.namelist())
    return repacked(data, {part: change})


@pytest.mark.parametrize("data", [XLS, XLSB, ODS])
def test_any_damage_ends_in_rows_a_fault_or_a_memory_abort(data: bytes) -> None:
    dice = Random(1)  # noqa: S311
    statuses = {exit_status(damage(data, dice), memory_mib=1024) for _ in range(150)}
    # calamine may ask for more memory than is available, and then Rust aborts.
    assert statuses <= {0, -signal.SIGABRT}
    assert 0 in statuses
