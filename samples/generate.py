"""`python -m samples.generate`: write the sample files again.

The seed is fixed, so the result is always the same. `roll.csv` is a typical, untidy export of a
registrar. It has a title line, its own column names, stray spaces, blank lines, a repeated header,
and rows with every common fault. `roll.xlsx` is a tidy export of the same kind, with numbers as ids
and real booleans.
"""

import csv
import io
import random
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from openpyxl import Workbook

FOLDER = Path(__file__).parent
SEED = 20261124
CSV_ROWS = 400
XLSX_ROWS = 300
SAVED_AT = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*")
MADE_AT = datetime(2026, 11, 2, 9, 0)  # noqa: DTZ001 - a workbook's times have no zone

FIRST_NAMES = (
    "Ada", "Amina", "Björn", "Chidi", "Chloé", "Dmitri", "Elif", "Femi", "Grace", "Hana",
    "Ibrahim", "Ines", "Jan", "Kwame", "Lucía", "Mei", "Niamh", "Omar", "Priya", "Zoë",
)  # fmt: skip
LAST_NAMES = (
    "Adeyemi", "Ahmed", "Bauer", "Chen", "Dubois", "Eze", "Fernández", "García", "Haddad", "Ito",
    "Jensen", "Kowalski", "Müller", "Nguyen", "O'Brien", "Okafor", "Rossi", "Smith", "Tanaka",
    "van der Berg",
)  # fmt: skip
DEPARTMENTS = (
    "Computer Science", "Law", "Medicine", "Mathematics", "History", "Electrical Engineering",
    "Economics, Finance and Statistics",
)  # fmt: skip
YES = ("Yes", "yes", "Y", "TRUE", "1")
NO = ("No", "no", "N", "FALSE", "0")

Row = list[object]


def students(chance: random.Random, numbers: range) -> Iterator[Row]:
    """Good rows: id, first name, last name, email address, department, year, eligible."""
    for number in numbers:
        student_id = f"{20 + number % 6}{number:05d}"
        yield [
            student_id,
            chance.choice(FIRST_NAMES),
            chance.choice(LAST_NAMES),
            f"s{student_id}@students.example.edu",
            chance.choice(DEPARTMENTS),
            chance.randint(1, 6),
            chance.random() < 0.85,
        ]


def messy_csv() -> bytes:
    """The CSV file: UTF-8 with a byte order mark and CRLF, as Excel exports it."""
    chance = random.Random(SEED)
    header = ["Student ID", "First Name", "Surname", "E-mail", "Dept", "Level", "Eligible", "Hall"]
    rows: list[Row] = []
    for row in students(chance, range(CSV_ROWS)):
        row[6] = chance.choice(YES if row[6] else NO)
        rows.append([*row, chance.choice(("North", "South", ""))])
    _make_faults(rows)
    rows.insert(200, list(header))
    rows.insert(120, [""] * len(header))
    rows.insert(60, [])
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(["Voter roll export"])
    writer.writerow(header)
    writer.writerows(rows)
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _make_faults(rows: list[Row]) -> None:
    rows[10][3] = ""
    rows[25][3] = "s2000025(at)students.example.edu"
    rows[40][0] = ""
    rows[55][5] = "Second"
    rows[70][6] = "maybe"
    rows[85][0] = "2.00009E+06"
    rows[90][1] = f"  {rows[90][1]}\u00a0"
    rows[100][4] = ""
    rows[101][5] = ""
    rows[102][6] = ""
    rows[130][2] = "Pipe\x07Smith"
    rows[150] = list(rows[149])
    rows[170] = [*rows[169][:4], "Law", *rows[169][5:]]
    rows[169][4] = "History"
    rows[210][3] = rows[209][3]
    rows[240] = rows[240][:4]
    rows[260][5] = "13"
    rows[300][3] = "  " + str(rows[300][3]) + " "


def tidy_xlsx() -> bytes:
    """The workbook: ids as numbers, true booleans, a title above the header, a second sheet."""
    chance = random.Random(SEED + 1)
    book = Workbook()
    book.remove(book.worksheets[0])
    sheet = book.create_sheet("Roll", 0)
    sheet.append(["Faculty office, roll of voters"])
    sheet.merge_cells("A1:G1")
    sheet.append([])
    sheet.append(
        [
            "Matric No",
            "Given Name",
            "Family Name",
            "Email Address",
            "Department",
            "Year",
            "Eligible",
        ]
    )
    for number, row in enumerate(students(chance, range(CSV_ROWS, CSV_ROWS + XLSX_ROWS))):
        row[0] = int(str(row[0]))
        if number == 50:
            row[3] = None
        if number == 51:
            row[5] = 42
        sheet.append(row)
    book.create_sheet("Notes").append(["Exported for the election office"])
    book.properties.created = MADE_AT
    archive = io.BytesIO()
    book.save(archive)
    return _with_fixed_times(archive)


def _with_fixed_times(archive: io.BytesIO) -> bytes:
    """The same workbook with fixed times instead of those that openpyxl and zip record."""
    copy = io.BytesIO()
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(copy, "w") as new:
        for name in old.namelist():
            part = zipfile.ZipInfo(name, date_time=MADE_AT.timetuple()[:6])
            content = SAVED_AT.sub(rb"\g<1>2026-11-02T09:00:00Z", old.read(name))
            new.writestr(part, content, zipfile.ZIP_DEFLATED)
    return copy.getvalue()


def main() -> None:
    """Write both files into the folder of this program."""
    (FOLDER / "roll.csv").write_bytes(messy_csv())
    (FOLDER / "roll.xlsx").write_bytes(tidy_xlsx())


if __name__ == "__main__":
    main()
