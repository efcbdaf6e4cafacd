"""The precheck: what one pass over the parts of a workbook finds out for both libraries."""

from io import BytesIO
from zipfile import ZipFile

import pytest
from openpyxl import Workbook

from shared.roll_file.limits import Limits
from shared.roll_file.workbooks.xlsx.package import CHUNK_BYTES
from shared.roll_file.workbooks.xlsx.precheck import Contents, check_parts
from tests.roll_file.roll_samples import (
    CLEAN,
    SHEET,
    repacked,
    saved,
    with_cells,
    with_strings,
    xlsx_roll,
)

STYLES = "xl/styles.xml"


def contents_of(data: bytes) -> Contents:
    with ZipFile(BytesIO(data)) as archive:
        return check_parts(archive, Limits())


@pytest.mark.parametrize(
    ("cell", "is_plain"),
    [
        ('<c r="A2"><v>1001</v></c>', True),
        ('<c r="Z2" t="inlineStr"><is><t xml:space="preserve"> x </t></is></c>', True),
        ('<c r="A2" t="b"><v>1</v></c>', True),
        ('<c r="A2"><v>0.30000000000000004</v></c>', True),
        ('<c r="AA2"><v>1</v></c>', False),
        ('<c r="A2"><f>1</f><v>1</v></c>', False),
        ('<c r="A2" t="e"><v>#N/A</v></c>', False),
        ('<c r="A2" t="d"><v>2024-05-01</v></c>', False),
        ('<c r="A2"><v>1234567890123456</v></c>', False),
        ('<c r="A2" t="inlineStr"><is><t>x </t></is></c>', False),
        ('<c r="A2" t="inlineStr"><is><t>_xD83D_</t></is></c>', False),
        ('<c r="A3"><v>1</v></c>', False),
        ('<c t="n" r="A2"><v>1</v></c>', False),
        ('<c r="A2"><v>NaN</v></c>', False),
        ('<c r="A2"><v>1E999</v></c>', False),
        ('<c r="A2"><v>9_9</v></c>', False),
        ('<c r="A2"><v>1</v><v>2</v></c>', False),
        ('<c r="A2"><v><!-- 0 -->1</v></c>', False),
        ('<c r="A2" t="str"><v><![CDATA[x]]></v></c>', False),
        ('<c r="A2" t="str"><v>&#65;</v></c>', False),
        ('<c r="A2" t="str"><v>&amp;</v></c>', True),
        ('<c r="A2" t="str"><v>a\rb</v></c>', False),
        ('<c r="A2" t="str"><v>\ufffe</v></c>', False),
        ('<c r="A2" t="inlineStr"><is><t>a</t><t>b</t></is></c>', False),
        ('<c r="A2" t="inlineStr"><is><t>a]]&gt;</t></is></c>', True),
        ('<c r="A2" t="inlineStr"><is><t>a]]></t></is></c>', False),
        ('</row></sheetData><sheetData><row r="3"><c r="A3"><v>1</v></c>', False),
        ('</row><row r="150001"><c r="A150001"><v>1</v></c>', False),
    ],
)
def test_only_what_both_libraries_read_alike_is_plain(cell: str, is_plain: bool) -> None:
    assert contents_of(with_cells(f'<row r="2">{cell}</row>')).is_plain is is_plain


@pytest.mark.parametrize(
    ("part", "old", "new"),
    [
        (SHEET, b"/spreadsheetml/2006/main", b"/spreadsheetml/2006/other"),
        (SHEET, b"<worksheet", b'<?xml version="1.0" encoding="iso-8859-1"?><worksheet'),
        (SHEET, b"<sheetData>", b"<!-- x --><sheetData>"),
        (SHEET, b"<sheetData>", b"<sheetData></sheetData><sheetData>"),
        (SHEET, b"</sheetData>", b'</sheetData><x><row r="9"/></x>'),
        (STYLES, b"</cellXfs>", b'</cellXfs><cellXfs><xf numFmtId="14"/></cellXfs>'),
        (STYLES, b'<cellXfs count="1"><xf numFmtId="0"', b'<cellXfs><xf numFmtId="14"'),
        ("xl/workbook.xml", b"<workbookPr", b'<workbookPr date1904="on"'),
    ],
)
def test_a_part_in_another_form_is_not_plain(part: str, old: bytes, new: bytes) -> None:
    data = xlsx_roll([CLEAN])
    assert contents_of(data).is_plain
    with ZipFile(BytesIO(data)) as archive:
        assert old in archive.read(part)
    changed = repacked(data, {part: lambda xml: xml.replace(old, new, 1)})
    assert not contents_of(changed).is_plain


def test_a_redefined_built_in_number_format_is_not_plain() -> None:
    def redefine(xml: bytes) -> bytes:
        formats = b'<numFmts count="1"><numFmt numFmtId="1" formatCode="yyyy"/></numFmts>'
        return xml.replace(b'<numFmts count="0" />', formats).replace(
            b"</cellXfs>", b'<xf numFmtId="1"/></cellXfs>'
        )

    data = with_cells('<row r="2"><c r="A2" s="1"><v>1</v></c></row>')
    assert contents_of(data).is_plain
    assert not contents_of(repacked(data, {STYLES: redefine})).is_plain


@pytest.mark.parametrize(("length", "is_plain"), [(1000, True), (7000, False), (2_000_000, False)])
def test_a_long_string_in_many_cells_is_not_plain(length: int, is_plain: bool) -> None:
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(3, 10_003))
    table = b"<si><t>" + b"x" * length + b"</t></si>"
    data = with_strings(table, '<c r="A2" t="s"><v>0</v></c></row>' + cells[: -len("</row>")])
    with ZipFile(BytesIO(data)) as archive:
        contents = check_parts(archive, Limits(max_cell_bytes=3_000_000))
    assert contents.is_plain is is_plain


@pytest.mark.parametrize("length", range(CHUNK_BYTES - 1200, CHUNK_BYTES, 37))
def test_a_plain_sheet_is_known_wherever_its_blocks_are_cut(length: int) -> None:
    row = '<row r="{0}"><c r="A{0}" t="str"><v>{1}</v></c></row>'
    plain = row.format(2, "x" * length) + row.format(3, "x") * 1
    assert contents_of(with_cells(plain)).is_plain
    odd = plain + row.format(4, "x").replace("<v>", '<f a="">1</f><v>')
    contents = contents_of(with_cells(odd))
    assert not contents.is_plain
    assert contents.with_formulas == {SHEET}


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
def test_a_date_that_is_doubtful_or_beyond_excel_is_not_plain(
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
