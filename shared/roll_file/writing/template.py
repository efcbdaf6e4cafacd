"""The template: an empty roll to fill in, with each column explained, that you can import."""

import csv
import io
from types import MappingProxyType

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.worksheet.datavalidation import DataValidation

from shared.roll_file.fields import FIELDS, MAX_CHARS, WIDTHS
from shared.roll_file.rows.cells import MAX_YEAR, MIN_YEAR
from shared.roll_file.writing.rejects import BOM
from shared.roll_file.writing.xlsx_saving import save

EXPLAINED = MappingProxyType(
    {
        "student_id": (
            "Required. The registrar's id, which identifies the voter. It is text, so leading"
            " zeros stay."
        ),
        "first_name": "Text. A blank cell states nothing: the value on the roll stays.",
        "last_name": "Text. A blank cell states nothing.",
        "email": "Required. One address of the form name@university.edu.",
        "department": "Text, always with the same spelling. A blank cell states nothing.",
        "year": f"Year of study, a whole number from {MIN_YEAR} to {MAX_YEAR}. A blank cell states"
        " nothing.",
        "is_eligible": (
            "Whether the student may vote: yes or no. If a new voter has no value, the voter"
            " may not vote."
        ),
    }
)
# The importer rejects a file without any row as empty. The voter in this row may not vote and is to
# be replaced.
EXAMPLE = ("EXAMPLE-1", "Amina", "Okafor", "amina.okafor@example.edu", "Physics", "2", "no")
INSTRUCTION = "Replace the example below with your voters, one in each row."
FORMATTED_ROWS = 1_000


def csv_template() -> bytes:
    """Return the template as CSV in UTF-8 with a byte order mark.

    It has the explanations as title lines, the header, and an example.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerows([f"{name}: {meaning}"] for name, meaning in EXPLAINED.items())
    writer.writerow([INSTRUCTION])
    writer.writerows((FIELDS, EXAMPLE))
    return f"{BOM}{text.getvalue()}".encode()


def xlsx_template() -> bytes:
    """Return the template as a workbook.

    It has a sheet to fill in, whose cells are text, and a sheet that explains it.
    """
    book = Workbook()
    roll = book.worksheets[0]
    roll.title = "Roll"
    roll.append(FIELDS)
    roll.append(EXAMPLE)
    for row in roll.iter_rows(min_row=1, max_row=FORMATTED_ROWS, max_col=len(FIELDS)):
        for cell in row:
            cell.number_format = "@"
    for letter, width, cell in zip("ABCDEFG", WIDTHS, roll[1], strict=True):
        roll.column_dimensions[letter].width = width
        cell.font = Font(bold=True)
    roll.freeze_panes = "A2"
    eligible = DataValidation(type="list", formula1='"yes,no"', allow_blank=True)
    eligible.add(f"G2:G{FORMATTED_ROWS}")
    roll.add_data_validation(eligible)
    columns = book.create_sheet("Columns")
    columns.append(("Column", "What it may have", "Longest"))
    for name, meaning in EXPLAINED.items():
        columns.append((name, meaning, MAX_CHARS.get(name)))
    columns.append((INSTRUCTION,))
    columns.column_dimensions["A"].width = 16
    columns.column_dimensions["B"].width = 80
    for cell in columns["B"]:
        cell.alignment = Alignment(wrap_text=True)
    return save(book)
