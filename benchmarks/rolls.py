"""Roll files of any size, always the same for the same size."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook

from shared.roll_file.fields import FIELDS

DEPARTMENTS = ("Computer Science", "Law", "Medicine", "Mathematics", "History", "Economics")


def rows(count: int) -> Iterator[tuple[str, str, str, str, str, int, str]]:
    """Good rows in the order of their ids."""
    for number in range(count):
        student_id = f"S{number:08d}"
        yield (
            student_id,
            f"First{number % 977}",
            f"Last{number % 4999}",
            f"{student_id.lower()}@students.example.edu",
            DEPARTMENTS[number % len(DEPARTMENTS)],
            number % 6 + 1,
            "true" if number % 7 else "false",
        )


def write_csv(path: Path, count: int) -> Path:
    """Write a CSV file of `count` rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows(rows(count))
    return path


def write_xlsx(path: Path, count: int) -> Path:
    """Write a workbook of `count` rows, with its strings inline in the cells."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Roll")
    sheet.append(FIELDS)
    for row in rows(count):
        sheet.append(row)
    book.save(path)
    return path


def write_shuffled_roll(path: Path, roll: Path) -> Path:
    """Write the same rows in a random order, which is the same every time."""
    header, *lines = roll.read_text(encoding="utf-8").splitlines(keepends=True)
    Random(1).shuffle(lines)
    path.write_text("".join([header, *lines]), encoding="utf-8")
    return path


def write_xlsx_shared(path: Path, inline: Path) -> Path:
    """Write the same workbook with its strings in a table, as Excel does.

    openpyxl's write-only mode, which made `inline`, cannot write that.
    """
    table: dict[str, int] = {}

    def refer(match: re.Match[str]) -> str:
        return f't="s"><v>{table.setdefault(match.group(1), len(table))}</v>'

    with ZipFile(inline) as old, ZipFile(path, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            xml = old.read(name).decode()
            for end, more in _STRINGS_KNOWN.items():
                xml = xml.replace(end, more + end)
            new.writestr(name, _INLINE.sub(refer, xml))
        strings = "".join(f"<si><t>{text}</t></si>" for text in table)
        new.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}">{strings}</sst>')
    return path


def write_ods(path: Path, count: int) -> Path:
    """Write an OpenDocument spreadsheet of `count` rows."""
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", _ODS_MANIFEST)
        with archive.open("content.xml", "w", force_zip64=True) as part:
            part.write(_ODS_HEAD.encode())
            for row in (FIELDS, *rows(count)):
                cells = "".join(_ODS_CELL.format(value) for value in row)
                part.write(f"<table:table-row>{cells}</table:table-row>".encode())
            part.write(_ODS_TAIL.encode())
    return path


_INLINE = re.compile(r't="inlineStr"><is><t>([^<]*)</t></is>')
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRINGS_KNOWN = {
    "</Relationships>": '<Relationship Id="rId99" Target="sharedStrings.xml" Type="http://schemas'
    '.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"/>',
    "</Types>": '<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxml'
    'formats-officedocument.spreadsheetml.sharedStrings+xml"/>',
}
_ODS_MANIFEST = (
    '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
)
_ODS_HEAD = (
    '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
    ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
    ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
    '<office:spreadsheet><table:table table:name="Roll">'
)
_ODS_CELL = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
_ODS_TAIL = "</table:table></office:spreadsheet></office:body></office:document-content>"
