import re
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from config.settings import PROJECT_ROOT
from shared.roll_file.errors import FileCode, RowCode, WarningCode
from shared.roll_file.formats import Format
from shared.roll_file.limits import ReadOptions
from shared.roll_file.reader import open_roll
from shared.roll_file.rows.row import NoValue
from tests.roll_file.roll_samples import (
    CLEAN,
    LABELS,
    SHEET,
    codes_of,
    fault_of,
    repacked,
    results_of,
    rows_of,
    saved,
    with_cells,
    with_strings,
    without_dimension,
    xlsx_roll,
)

SHORT = ("ID", "Mail", "Dept")
STYLES = "xl/styles.xml"


def book_of(**sheets: Sequence[Sequence[object]]) -> Workbook:
    workbook = Workbook()
    del workbook["Sheet"]
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
    return workbook


def test_the_reader_shows_what_it_detected() -> None:
    with open_roll(BytesIO(xlsx_roll([CLEAN], title="Voters"))) as reader:
        assert (reader.format, reader.sheet) == (Format.XLSX, "Voters")
        assert (reader.encoding, reader.delimiter) == (None, None)
        assert [(line, list(cells)) for line, cells in reader] == [(2, list(CLEAN))]
        assert reader.fraction() == 1.0
        assert reader.assumptions == []


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ('<c r="A2"><v>1001</v></c>', 1001),
        ('<c r="A2" t="n"><v>1001.0</v></c>', 1001),
        ('<c r="A2"><v>1.5E+3</v></c>', 1500),
        ('<c r="A2" t="b"><v>1</v></c>', True),
        ('<c r="A2" t="b"><v>0</v></c>', False),
        ('<c r="A2" t="str"><v>text</v></c>', "text"),
        ('<c r="A2" t="inlineStr"><is><t>text</t></is></c>', "text"),
        ('<c r="A2" t="inlineStr"><is><r><t>ri</t></r><r><t>ch</t></r></is></c>', "rich"),
        ('<c r="A2" t="inlineStr"><is><t>a</t><rPh sb="0" eb="1"><t>b</t></rPh></is></c>', "a"),
        ('<c r="A2" t="inlineStr"><is><t>one_x000D_two</t></is></c>', "one\rtwo"),
        ('<c r="A2" t="inlineStr"><is><t>_x005F_x0041_</t></is></c>', "_x0041_"),
        ('<c r="A2" t="inlineStr"><is><t>_xD83D__xDE00_</t></is></c>', "😀"),
        ('<c r="A2" t="inlineStr"><is><t>a_x00_b</t></is></c>', "a_x00_b"),
        ('<c r="A2" t="inlineStr"><is><t>3_x200B_4</t></is></c>', "3\u200b4"),
        ('<c r="A2" t="inlineStr"><is><t>_xFEFF_a_x2028_b_x4e00_</t></is></c>', "\ufeffa\u2028b一"),
        ('<c r="A2" t="inlineStr"><is><t>_x00FF__x0100_</t></is></c>', "ÿĀ"),
        ('<c r="A2" t="inlineStr"><is><t>ax005F_b</t></is></c>', "ax005F_b"),
        ('<c r="A2" t="inlineStr"><is><t>&lt;&amp;&#233;<![CDATA[<x>]]></t></is></c>', "<&é<x>"),
        ('<c r="A2" t="d"><v>2024-05-01</v></c>', date(2024, 5, 1)),
        ('<c r="A2" t="e"><v>#N/A</v></c>', "#N/A"),
        ('<c r="A2"><f>B2+1</f><v>7</v></c>', 7),
        ('<c r="A2" t="str"><f>B2</f><v>x</v></c>', "x"),
        ('<c r="A2" t="str"><f>B2</f><v></v></c>', None),
        ('<c r="A2"><f>B2+1</f></c>', NoValue(RowCode.FORMULA_NO_VALUE, "=B2+1")),
        ('<c r="A2"><f>B2+1</f><v></v></c>', NoValue(RowCode.FORMULA_NO_VALUE, "=B2+1")),
        ('<c r="A2"><f t="shared" si="0"/></c>', NoValue(RowCode.FORMULA_NO_VALUE, "=")),
        ('<c r="A2" t="e"><f>1/0</f><v>#DIV/0!</v></c>', "#DIV/0!"),
        ('<c r="A2"/>', None),
        ('<c r="A2" s="0"><v></v></c>', None),
        ('<c r="A2" t="inlineStr"><is></is></c>', None),
        ("<c><v>5</v></c>", 5),
        ('\n  <c r="A2">\n   <v>5</v>\n </c>\n', 5),
    ],
)
def test_a_cell_is_what_its_xml_says(cell: str, expected: object) -> None:
    xml = f'<row r="2">{cell}<c r="B2"><v>1</v></c></row>'
    ((line, cells),) = rows_of(with_cells(xml, labels=SHORT))
    assert line == 2
    assert cells[0] == expected
    assert isinstance(cells[0], bool) is isinstance(expected, bool)
    assert cells[1:] == [1, None]


@pytest.mark.parametrize("epoch", [None, CALENDAR_MAC_1904])
def test_dates_are_distinguished_from_numbers_by_style(epoch: datetime | None) -> None:
    workbook = book_of(Roll=[SHORT, [datetime(2024, 5, 1), 45000, time(8, 30)]])  # noqa: DTZ001
    if epoch:
        workbook.epoch = epoch
    (row,) = rows_of(saved(workbook))
    assert row[1] == [datetime(2024, 5, 1), 45000, time(8, 30)]  # noqa: DTZ001


def test_a_date_that_excel_cannot_show_is_an_error() -> None:
    workbook = book_of(Roll=[SHORT, [-5, "a@b.cd", 3_000_000_000]])
    for cell in ("A2", "C2"):
        workbook["Roll"][cell].number_format = "yyyy-mm-dd"
    (row,) = rows_of(saved(workbook))
    assert row[1][2] == "#VALUE!"


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        (b"<si><t>a</t></si><si><t>b</t></si>", "b"),
        (b"<si/><si><r><t>ri</t></r><r><rPr><b/></rPr><t>ch</t></r></si>", "rich"),
        (b"<si/><si><t>a</t><rPh sb='0' eb='1'><t>b</t></rPh></si>", "a"),
        (b"<si/><si><t>one_x000D_two</t></si>", "one\rtwo"),
        (b"<si/><si><t>S_x005F_x0041_1</t></si>", "S_x0041_1"),
        (b"<si/><si><t>ax005F_b_x005f_c</t></si>", "ax005F_b_c"),
        (b"<si/><si><t>3_x200B_4_xFEFF_</t></si>", "3\u200b4\ufeff"),
        (b"<si/><si><t xml:space='preserve'> a </t></si>", " a "),
        (b"<si/><si><t/></si>", None),
    ],
)
def test_a_shared_string_is_found_in_its_table(table: bytes, expected: str | None) -> None:
    end = '<c r="B2"><v>1</v></c>'
    data = with_strings(table, f'<c r="A2" t="s"><v>1</v></c>{end}')
    assert rows_of(data) == [(2, [expected, 1])]


def test_an_empty_fill_in_the_styles_does_not_matter() -> None:
    def empty_fills(xml: bytes) -> bytes:
        assert b"<fill>" in xml
        return re.sub(rb"<fill>.*?</fill>", b"<fill/>", xml)

    assert rows_of(repacked(xlsx_roll([CLEAN]), {STYLES: empty_fills})) == [(2, list(CLEAN))]


def test_elements_with_a_prefix_are_understood() -> None:
    def prefix(xml: bytes) -> bytes:
        xml = xml.replace(b"</", b"</\x00").replace(b"<", b"<x:").replace(b"<x:/\x00", b"</x:")
        return xml.replace(b"xmlns=", b"xmlns:x=")

    assert rows_of(repacked(xlsx_roll([CLEAN]), {SHEET: prefix})) == [(2, list(CLEAN))]


@pytest.mark.parametrize("reference", [b'ref="A1"', b'ref="A1:B1"', b'ref="A1:ZZ999999"'])
def test_a_wrong_dimension_hides_no_row(reference: bytes) -> None:
    def rewrite(xml: bytes) -> bytes:
        return xml.replace(b'ref="A1:G3"', reference)

    data = repacked(xlsx_roll([CLEAN, CLEAN]), {SHEET: rewrite})
    assert data != xlsx_roll([CLEAN, CLEAN])
    assert [line for line, _ in rows_of(data)] == [2, 3]


def test_a_missing_dimension_hides_no_row() -> None:
    assert len(rows_of(repacked(xlsx_roll([CLEAN] * 3), {SHEET: without_dimension}))) == 3


def test_rows_are_as_wide_as_the_header() -> None:
    data = xlsx_roll([["1"], ["2", "a@b.cd", "X", "beyond"]], labels=SHORT)
    assert rows_of(data) == [(2, ["1", None, None]), (3, ["2", "a@b.cd", "X"])]


def test_only_blank_rows_before_the_last_voter_count() -> None:
    xml = (
        '<row r="3"><c r="A3" s="0"/><c r="B3"/></row>'
        '<row r="6"><c r="A6"><v>1</v></c><c r="B6" t="str"><v>a@b.cd</v></c></row>'
        + "".join(f'<row r="{row}"><c r="A{row}" s="0"/></row>' for row in range(7, 5000))
    )
    results = results_of(with_cells(xml, labels=SHORT))
    assert results[:4] == [None] * 4
    assert isinstance(results[4], tuple)
    assert results[4][:2] == (6, "1")
    assert len(results) == 5


@pytest.mark.parametrize(
    "xml",
    [
        '<row r="1000000000000"><c r="A1000000000000"><v>1</v></c></row>',
        '<row r="1048577"><c><v>1</v></c></row>',
        '<row r="1"><c><v>1</v></c></row>',
        '<row r="3"><c><v>1</v></c></row><row r="2"><c><v>1</v></c></row>',
        '<row r="1E400"><c><v>1</v></c></row>',
        '<row r="nan"><c><v>1</v></c></row>',
        '<row r="two"><c><v>1</v></c></row>',
        '<row r="2"><c r="ZZZZZZZZZ2"><v>1</v></c></row>',
        '<row r="2"><c r="2"><v>1</v></c></row>',
        '<row r="2"><c r="A2"><v>one</v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>99999</v></c></row>',
        '<row r="2"><c r="A2" t="s"><v>-1</v></c></row>',
        '<row r="2"><c r="A2" t="d"><v>May</v></c></row>',
        '<row r="2"><c r="A2"><v>1</v></row>',
        '<row r="2"><c r="A2"><v>&undefined;</v></c></row>',
        f'<row r="2"><c r="A2"><v>{"9" * 5000}</v></c></row>',
    ],
)
def test_a_sheet_that_excel_would_not_write_is_unreadable(xml: str) -> None:
    assert fault_of(with_cells(xml)).code is FileCode.UNREADABLE_FILE


def test_the_last_row_of_a_sheet_can_hold_a_voter() -> None:
    xml = '<row r="1048576"><c r="A1048576"><v>1</v></c></row>'
    with open_roll(BytesIO(with_cells(xml, labels=SHORT))) as reader:
        *blank, last = reader
    assert len(blank) == 1_048_574
    assert last == (1_048_576, [1, None, None])


def test_the_header_may_stand_below_a_merged_title() -> None:
    workbook = book_of(Roll=[["Voter roll 2026"], [], SHORT, ["1", "a@b.cd", "X"]])
    workbook["Roll"].merge_cells("A1:C1")
    assert rows_of(saved(workbook)) == [(4, ["1", "a@b.cd", "X"])]


def test_the_first_visible_roll_sheet_is_read_and_others_named() -> None:
    workbook = book_of(
        Hidden=[SHORT, ["9", "h@b.cd", "X"]],
        Notes=[["hello"]],
        Blank=[],
        Roll=[SHORT, ["1", "a@b.cd", "X"]],
        Old=[SHORT, ["2", "b@b.cd", "X"]],
    )
    workbook["Hidden"].sheet_state = "hidden"
    with open_roll(BytesIO(saved(workbook))) as reader:
        assert reader.sheet == "Roll"
        assert [(line, list(cells)) for line, cells in reader] == [(2, ["1", "a@b.cd", "X"])]
        assert reader.assumptions == [
            'The roll was read from the sheet "Roll". Not read: "Notes", "Old".'
        ]


def test_a_sheet_can_be_asked_for_even_a_hidden_one() -> None:
    workbook = book_of(Roll=[SHORT, ["1", "a@b.cd", "X"]], Hidden=[SHORT, ["9", "h@b.cd", "X"]])
    workbook["Hidden"].sheet_state = "veryHidden"
    data = saved(workbook)
    assert rows_of(data, ReadOptions(sheet="Hidden")) == [(2, ["9", "h@b.cd", "X"])]
    fault = fault_of(data, ReadOptions(sheet="Voters"))
    assert fault.code is FileCode.SHEET_NOT_FOUND
    assert '"Roll", "Hidden"' in fault.message


@pytest.mark.parametrize(
    ("sheets", "code"),
    [
        ({"A": []}, FileCode.EMPTY_FILE),
        ({"A": [], "B": [["Name", "Mail"]]}, FileCode.MISSING_COLUMNS),
        ({"A": [["ID", "Student ID", "Mail"]]}, FileCode.AMBIGUOUS_COLUMNS),
    ],
)
def test_a_workbook_without_a_roll_is_refused(
    sheets: dict[str, list[list[object]]], code: FileCode
) -> None:
    assert fault_of(saved(book_of(**sheets))).code is code


def test_rows_that_repeat_the_header_are_skipped_and_counted() -> None:
    data = xlsx_roll([["1", "a@b.cd", "X"], SHORT, ["2", "a@b.cd", "X"]], labels=(*SHORT, None))
    with open_roll(BytesIO(data)) as reader:
        assert [line for line, _ in reader] == [2, 4]
        assert reader.warnings == {WarningCode.REPEATED_HEADER: 1}


def test_cells_without_a_value_are_faults_only_in_used_columns() -> None:
    error, formula = '<c r="A2" t="e"><v>#REF!</v></c>', '<c r="B2"><f>A1</f></c>'
    unused = '<c r="C2" t="e"><v>#REF!</v></c>'
    xml = f'<row r="2">{error}{formula}{unused}</row>'
    (result,) = results_of(with_cells(xml, labels=("ID", "Mail", "Phone")))
    assert codes_of(result) == ["EXCEL_ERROR", "FORMULA_NO_VALUE"]


def test_more_rows_than_allowed_are_refused() -> None:
    data = xlsx_roll([CLEAN] * 4)
    assert len(rows_of(data, max_rows=4)) == 4
    assert fault_of(data, max_rows=3).code is FileCode.TOO_MANY_ROWS


@pytest.mark.parametrize("part", ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET])
@pytest.mark.parametrize("content", [b"", b"<x", b"<x/>", b"\x00\x01", b"<x>" * 10_000])
def test_a_broken_part_ends_in_a_fault(part: str, content: bytes) -> None:
    fault = fault_of(repacked(xlsx_roll([CLEAN]), {part: lambda _: content}))
    assert fault.code in {
        *(FileCode.UNREADABLE_FILE, FileCode.EMPTY_FILE, FileCode.SHEET_NOT_FOUND),
    }


def test_a_sheet_whose_bytes_were_changed_is_unreadable() -> None:
    data = bytearray(xlsx_roll([CLEAN] * 500))
    at = data.index(SHEET.encode()) + 200
    data[at : at + 8] = bytes(byte ^ 0x5A for byte in data[at : at + 8])
    assert fault_of(bytes(data)).code is FileCode.UNREADABLE_FILE


plain_text = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff_"),
    min_size=1,
    max_size=12,
).filter(lambda text: not text.startswith("=") and not text.startswith("#"))
values = st.one_of(
    st.none(),
    plain_text,
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False),
    st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
        lambda moment: moment.replace(microsecond=0)
    ),
)


@given(st.lists(st.tuples(values, values, values), min_size=1, max_size=8))
def test_cells_are_read_as_openpyxl_reads_them(rows: list[tuple[object, ...]]) -> None:
    data = xlsx_roll([*rows, ("end", "end", "end")], labels=SHORT)
    sheet = load_workbook(BytesIO(data), read_only=True, data_only=True).active
    assert sheet is not None
    expected = [list(row) for row in sheet.iter_rows(min_row=2, max_col=3, values_only=True)]
    assert [list(cells) for _, cells in rows_of(data)] == expected


@given(st.lists(st.tuples(*[plain_text] * len(LABELS)), max_size=5))
def test_text_that_is_written_is_read_back(rows: list[tuple[str, ...]]) -> None:
    assert rows_of(xlsx_roll(rows)) == [(line, list(row)) for line, row in enumerate(rows, start=2)]


@pytest.mark.parametrize(
    "row",
    [
        '<row r = "999999999999">',
        '<row r="999999999999">',
        '<row r="+9">',
        '<row r="&#57;">',
        '<row r="9_9">',
        '<row r="\u0669">',
        '<row spans="a>b" r="9">',
        '<row r="9.0">',
        '<row r="1">',
        '<row r="0">',
    ],
)
def test_a_row_number_that_excel_would_not_write_is_refused(row: str) -> None:
    data = with_cells(f"{row}<c><v>1</v></c></row>", labels=SHORT)
    assert fault_of(data).code is FileCode.UNREADABLE_FILE


def test_rows_with_and_without_a_prefix_are_kept_in_order() -> None:
    prefix = b'xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    data = with_cells('<x:row r="9"><c><v>1</v></c></x:row><row r="5"/>', labels=SHORT)
    data = repacked(data, {SHEET: lambda xml: xml.replace(b"xmlns=", prefix + b"xmlns=", 1)})
    assert fault_of(data).code is FileCode.UNREADABLE_FILE


def test_cells_in_no_order_are_all_read() -> None:
    xml = '<row r="2"><c r="C2"><v>3</v></c><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>'
    assert rows_of(with_cells(xml, labels=SHORT)) == [(2, [1, 2, 3])]


def test_beyond_all_columns_a_value_is_a_fault_but_not_a_format() -> None:
    cell = '<row r="2"><c r="A2"><v>1</v></c><c r="XFD2" s="0">{}</c></row>'
    assert rows_of(with_cells(cell.format(""), labels=SHORT)) == [(2, [1, None, None])]
    fault = fault_of(with_cells(cell.format("<v>1</v>"), labels=SHORT))
    assert fault.code is FileCode.TOO_MANY_COLUMNS
    assert "Line 2 has more than 1,000 columns" in fault.message


def test_a_number_without_end_is_an_error() -> None:
    cells = (
        f'<c r="A2"><v>1</v></c><c r="B2" t="str"><v>{CLEAN[3]}</v></c><c r="C2"><v>1E999</v></c>'
    )
    (result,) = results_of(with_cells(f'<row r="2">{cells}</row>', labels=SHORT))
    assert codes_of(result) == [RowCode.EXCEL_ERROR]


def move_part(data: bytes, path: str, name: str) -> bytes:
    """The workbook with one of its parts renamed."""
    folder, _, old = path.rpartition("/")
    file = BytesIO()
    with ZipFile(BytesIO(data)) as source, ZipFile(file, "w") as target:
        for member in source.infolist():
            content = source.read(member).replace(path.encode(), f"{folder}/{name}".encode())
            is_part = member.filename == path
            target.writestr(f"{folder}/{name}" if is_part else member.filename, content)
    assert old != name
    return file.getvalue()


def test_a_sheet_under_any_name_is_looked_through() -> None:
    xml = '<row r="2"><c r="A2" t="e"><v>#N/A</v></c><c r="B2"><v>1</v></c></row>'
    data = move_part(with_cells(xml, labels=SHORT), SHEET, "Roll.DAT")
    assert rows_of(data) == [(2, ["#N/A", 1, None])]
    bomb = move_part(repacked(data, {}), "xl/worksheets/Roll.DAT", "Roll.bin")
    assert rows_of(bomb) == [(2, ["#N/A", 1, None])]
    data = with_cells('<row r="2"><c r="A2"><v>1</v></c></row><row r="1"/>', labels=SHORT)
    assert fault_of(move_part(data, SHEET, "Roll.DAT")).code is FileCode.UNREADABLE_FILE


def test_a_strict_workbook_is_refused_with_the_way_out() -> None:
    strict = b"http://purl.oclc.org/ooxml/spreadsheetml/main"
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    data = repacked(xlsx_roll([CLEAN]), {SHEET: lambda xml: xml.replace(main, strict)})
    fault = fault_of(data)
    assert fault.code is FileCode.UNREADABLE_FILE
    assert "Strict" in fault.message


def test_more_sheets_than_parts_are_refused() -> None:
    sheet = b'<sheet name="Again" sheetId="9" r:id="rId1"'
    data = repacked(
        xlsx_roll([CLEAN]),
        {"xl/workbook.xml": lambda xml: xml.replace(b"<sheet ", sheet + b"/><sheet ", 1)},
    )
    assert fault_of(data).code is FileCode.UNREADABLE_FILE


def test_only_parts_that_are_read_must_be_of_a_known_encoding() -> None:
    """Power Query stores its own part in UTF-16."""
    query = (
        '<?xml version="1.0" encoding="utf-16"?><DataMashup>' + "x" * 2_000_000 + "</DataMashup>"
    )
    file = BytesIO(xlsx_roll([CLEAN]))
    with ZipFile(file, "a") as archive:
        archive.writestr("customXml/item1.xml", query.encode("utf-16"))
    assert rows_of(file.getvalue()) == [(2, list(CLEAN))]
    data = repacked(xlsx_roll([CLEAN]), {SHEET: lambda xml: xml.decode().encode("utf-16")})
    assert fault_of(data).code is FileCode.UNREADABLE_FILE


def test_warnings_of_the_library_are_not_shown() -> None:
    program = (
        "import warnings\n"
        "import shared.roll_file.reader\n"
        "warnings.warn_explicit('a date', UserWarning, 'x.py', 1, module='openpyxl.worksheet')\n"
    )
    command = [sys.executable, "-W", "error", "-c", program]
    ended = subprocess.run(command, cwd=PROJECT_ROOT, capture_output=True, check=True, text=True)
    assert ended.stderr == ""
