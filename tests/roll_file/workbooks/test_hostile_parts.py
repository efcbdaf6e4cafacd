"""Hostile parts of an .xlsx take at most linear time in their size."""

import re
import time
from collections.abc import Callable
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl.reader.excel import load_workbook

from shared.roll_file.errors import FileCode
from shared.roll_file.limits import MIB, Limits
from shared.roll_file.reader import open_roll
from shared.roll_file.workbooks.xlsx.precheck import check_parts
from tests.roll_file.roll_samples import (
    CLEAN,
    SHEET,
    exit_status,
    fault_of,
    repacked,
    rows_of,
    xlsx_roll,
)

STYLES = "xl/styles.xml"
HEADER_END = b"</headerFooter>"
WORKBOOK = "xl/workbook.xml"
MAIN = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
# For four times the size, linear time is four times as long, and quadratic time sixteen times.
MAX_GROWTH = 9


def with_formats(*codes: bytes) -> bytes:
    """A workbook with these number formats. A cell format uses each of them."""
    formats = (
        b'<numFmt numFmtId="%d" formatCode="%b"/>' % (number, code)
        for number, code in enumerate(codes, start=200)
    )
    uses = (b'<xf numFmtId="%d"/>' % number for number in range(200, 200 + len(codes)))

    def change(xml: bytes) -> bytes:
        assert b'<numFmts count="0" />' in xml
        xml = xml.replace(b'<numFmts count="0" />', b"<numFmts>%b</numFmts>" % b"".join(formats))
        return xml.replace(b"</cellXfs>", b"".join(uses) + b"</cellXfs>")

    return repacked(xlsx_roll([CLEAN]), {STYLES: change})


def with_part(content: bytes, *, name: str = "customXml/item1.xml") -> bytes:
    """A workbook with an additional part that is not a part of a sheet."""
    file = BytesIO(xlsx_roll([CLEAN]))
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def with_shared_formula(rows: int, size: int) -> bytes:
    """A workbook whose rows share one formula of about `size` characters."""
    formula = "+".join(["A1"] * (size // 3)).encode()
    first = b'<row r="2"><c r="A2"><f t="shared" si="0">%b</f><v>1</v></c></row>' % formula
    others = (
        b'<row r="%d"><c r="A%d"><f t="shared" si="0"/><v>1</v></c></row>' % (row, row)
        for row in range(3, rows + 2)
    )

    def change(xml: bytes) -> bytes:
        return xml.replace(b"</sheetData>", first + b"".join(others) + b"</sheetData>")

    return repacked(xlsx_roll([]), {SHEET: change})


def workbook_with(part: str, before: bytes, xml: bytes) -> bytes:
    """A workbook with more XML in one part."""

    def change(old: bytes) -> bytes:
        assert before in old
        return old.replace(before, xml + before, 1)

    return repacked(xlsx_roll([CLEAN]), {part: change})


def with_name(kind: str, value: str) -> bytes:
    """A workbook with a defined name that has a special meaning in Excel."""
    name = f'<definedName name="_xlnm.{kind}" localSheetId="0">{value}</definedName>'
    return workbook_with(WORKBOOK, b"<calcPr", f"<definedNames>{name}</definedNames>".encode())


def read(data: bytes) -> None:
    with open_roll(BytesIO(data)) as reader:
        assert sum(1 for _ in reader) >= 1


def look_through(data: bytes) -> None:
    with ZipFile(BytesIO(data)) as archive:
        check_parts(archive, Limits(ratio_free_bytes=100 * MIB))


def seconds(act: Callable[[bytes], None], data: bytes) -> float:
    """The shortest processor time of three runs, in seconds."""
    times = []
    for _ in range(3):
        started = time.process_time()
        act(data)
        times.append(time.process_time() - started)
    return min(times)


def test_a_format_beyond_the_limit_of_excel_is_refused() -> None:
    fault = fault_of(with_formats(b"0" * 256))
    assert fault.code is FileCode.UNREADABLE_FILE
    assert "a number format of 256 characters" in fault.message
    assert rows_of(with_formats(b"0" * 255)) == [(2, list(CLEAN))]


@pytest.mark.parametrize("unit", [b"[", b"[h", b"&quot;", b"&quot;[", b"_[", b"\\["])
def test_a_format_made_to_take_long_is_refused_at_once(unit: bytes) -> None:
    assert exit_status(with_formats(unit * 20_000), memory_mib=100, cpu_seconds=10) == 0


def test_very_many_number_formats_are_refused() -> None:
    codes = [b"[" * 240 + b"%d" % number for number in range(50_000)]
    assert fault_of(with_formats(*codes)).code is FileCode.WORKBOOK_TOO_LARGE
    assert exit_status(with_formats(*codes), memory_mib=150, cpu_seconds=10) == 0


@pytest.mark.parametrize(
    ("styles", "is_date"),
    [
        (b'<numFmts><numFmt numFmtId="14" formatCode="0"/></numFmts>', False),
        (b'<numFmts><numFmt numFmtId="14" formatCode=""/></numFmts>', False),
        (b'<dxfs><dxf><numFmt numFmtId="14" formatCode="0"/></dxf></dxfs>', True),
        (b'<numFmts><numFmt numFmtId="14" formatCode="yyyy;0"/></numFmts>', True),
    ],
)
def test_dates_are_found_as_openpyxl_finds_them(styles: bytes, is_date: bool) -> None:
    def change(xml: bytes) -> bytes:
        xml = xml.replace(b'<numFmts count="0" />', b"").replace(b"<dxfs />", b"")
        end = b"<dxfs" if styles.startswith(b"<dxfs") else b"<fonts"
        at = xml.index(b"<tableStyles" if end == b"<dxfs" else end)
        xml = xml[:at] + styles + xml[at:]
        return xml.replace(b"</cellXfs>", b'<xf numFmtId="14"/><xf numFmtId="46"/></cellXfs>')

    data = repacked(xlsx_roll([CLEAN]), {STYLES: change})
    book = load_workbook(BytesIO(data), read_only=True)
    with ZipFile(BytesIO(data)) as archive:
        formats = check_parts(archive, Limits()).formats
    assert (1 in formats.dates) is is_date
    assert formats.dates == vars(book)["_date_formats"]
    assert formats.durations == vars(book)["_timedelta_formats"]


def test_a_part_without_tags_takes_time_by_its_size() -> None:
    small, large = (with_part(b"<x>" + b"a" * (size * MIB)) for size in (3, 12))
    assert seconds(look_through, large) < MAX_GROWTH * seconds(look_through, small)


@pytest.mark.parametrize("content", [b"<x>" + b"a" * 15 * MIB, b"<x a='" + b"a" * 15 * MIB])
def test_many_large_unrelated_parts_are_scanned_in_seconds(content: bytes) -> None:
    file = BytesIO(xlsx_roll([CLEAN]))
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"customXml/item{number}.xml", content)
    assert exit_status(file.getvalue(), memory_mib=150, cpu_seconds=12) == 0


@pytest.mark.parametrize("start", [b"<?x ", b"<!-- ", b"<x a='", b"<!--x-->" * 100_000])
def test_a_part_that_does_not_begin_is_refused(start: bytes) -> None:
    fault = fault_of(with_part(start + b"a" * 15 * MIB))
    assert fault.code is FileCode.UNREADABLE_FILE


def test_a_long_tag_of_a_part_that_is_read_is_refused() -> None:
    links = b"<Relationships><x a='" + b"a" * 15 * MIB + b"'/></Relationships>"
    fault = fault_of(with_part(links, name="xl/_rels/x.xml.rels"))
    assert fault.code is FileCode.WORKBOOK_TOO_LARGE


def test_a_shared_formula_takes_no_time_for_each_of_its_cells() -> None:
    short, long = (with_shared_formula(2_000, size) for size in (60, 6_000))
    assert seconds(read, long) < 3 * seconds(read, short)


@pytest.mark.parametrize(
    "data",
    [
        workbook_with(
            SHEET, b"<pageMargins", b"<headerFooter><oddHeader>%b</oddHeader></headerFooter>" % x
        )
        for x in (b"&amp;C" * 100_000, b'&amp;"' * 100_000, b"a" * 200_000)
    ]
    + [
        with_name("Print_Titles", "'" * 61 + "x"),
        with_name("Print_Titles", "a" * 200_000),
        with_name("Print_Area", "'" * 61 + "x"),
        with_name("Print_Area", "a," * 100_000),
        with_name("Print_Area", "A1:" * 100_000),
    ],
)
def test_what_no_row_depends_on_takes_no_time(data: bytes) -> None:
    assert exit_status(data, memory_mib=100, cpu_seconds=10) == 0
    assert rows_of(data) == [(2, list(CLEAN))]


def test_a_root_with_many_declarations_takes_time_by_its_size() -> None:
    def hostile(count: int) -> bytes:
        root = b"<worksheet " + MAIN
        more = b" a=' %b'" % ((MAIN + b" ") * count)

        def change(xml: bytes) -> bytes:
            return xml.replace(root, root + more, 1).replace(b"<sheetData>", b"<v/><sheetData>")

        return repacked(xlsx_roll([CLEAN]), {SHEET: change})

    assert seconds(look_through, hostile(2_800)) < MAX_GROWTH * seconds(look_through, hostile(700))


def test_two_sheets_on_one_part_are_refused() -> None:
    """Also with another root element, in which the precheck does not count the sheets."""

    def change(xml: bytes) -> bytes:
        xml = xml.replace(b"</sheets>", re.findall(rb"<sheet .*?/>", xml)[0] + b"</sheets>")
        return xml.replace(b"<workbook ", b"<book ").replace(b"</workbook>", b"</book>")

    fault = fault_of(repacked(xlsx_roll([CLEAN]), {WORKBOOK: change}))
    assert fault.code is FileCode.UNREADABLE_FILE
