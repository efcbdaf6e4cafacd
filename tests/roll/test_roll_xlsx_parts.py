"""What one pass over the parts of a workbook tells of both libraries."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from openpyxl import Workbook
from roll_samples import SHEET, saved, with_cells

from shared.roll.limits import Limits
from shared.roll.xlsx_parts import CHUNK_BYTES, Contents, check_parts


def contents_of(data: bytes) -> Contents:
    with ZipFile(BytesIO(data)) as archive:
        return check_parts(archive, Limits())


@pytest.mark.parametrize(
    ("cell", "is_plain"),
    [
        ('<c r="A2"><v>1001</v></c>', True),
        ('<c r="AZ2" t="inlineStr"><is><t xml:space="preserve"> x </t></is></c>', True),
        ('<c r="A2" t="b"><v>1</v></c>', True),
        ('<c r="A2"><v>0.30000000000000004</v></c>', True),
        ('<c r="BA2"><v>1</v></c>', False),
        ('<c r="A2"><f>1</f><v>1</v></c>', False),
        ('<c r="A2" t="e"><v>#N/A</v></c>', False),
        ('<c r="A2" t="d"><v>2024-05-01</v></c>', False),
        ('<c r="A2"><v>1234567890123456</v></c>', False),
        ('<c r="A2" t="inlineStr"><is><t>x </t></is></c>', False),
        ('<c r="A2" t="inlineStr"><is><t>_xD83D_</t></is></c>', False),
        ('</row><row r="200001"><c r="A200001"><v>1</v></c>', False),
    ],
)
def test_only_what_both_libraries_read_alike_is_plain(cell: str, is_plain: bool) -> None:
    assert contents_of(with_cells(f'<row r="2">{cell}</row>')).is_plain is is_plain


@pytest.mark.parametrize(
    ("code", "value", "is_plain"),
    [
        ("yyyy-mm-dd", 45000, True),
        ("yyyy-mm-dd", -1, False),
        ("yyyy-mm-dd", 2958466, False),
        ("0.00", 2958466, True),
        ("A/P", 1, False),
        ("[H]", 1, False),
    ],
)
def test_a_date_that_excel_cannot_show_or_a_doubtful_one_is_not_plain(
    code: str, value: int, is_plain: bool
) -> None:
    workbook = Workbook()
    workbook["Sheet"]["A2"] = value
    workbook["Sheet"]["A2"].number_format = code
    assert contents_of(saved(workbook)).is_plain is is_plain


@pytest.mark.parametrize("start", range(1, 40, 3))
def test_an_odd_cell_is_seen_across_two_blocks(start: int) -> None:
    with ZipFile(BytesIO(with_cells(""))) as archive:
        before = archive.read(SHEET).index(b"</sheetData>")
    row = '<row r="2">'
    blank = " " * (CHUNK_BYTES - before - len(row) - start)
    cell = '<c r="A2" t="e"><v>#N/A</v></c>'
    assert contents_of(with_cells(f"{row}{blank}{cell}</row>")).is_plain is False
