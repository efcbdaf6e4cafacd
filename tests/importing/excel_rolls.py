"""Workbooks as users save them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from io import BytesIO

from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from config.settings import PROJECT_ROOT
from shared.roll_file.errors import FileCode
from tests.importing.rolls import ANN, BEN, Roll, bare, refused, saved, voter

WORKBOOKS = PROJECT_ROOT / "tests" / "roll_file" / "samples"
LABELS = ("student_id", "first_name", "last_name", "email", "department", "year", "is_eligible")
ANN_CELLS = ("1", "Ann", "Lee", "u1@x.edu", "Law", 1, True)
BEN_CELLS = (2, "Ben", "Ray", "u2@x.edu", "Art", 2.0, "no")
LIBRE_VOTERS = (
    ("00101", "Ann", "Lee", "ann@uni.example", "Law", 1, True),
    ("10202", "Zoë", "Núñez", "zoe@uni.example", "Art", 2, False),
    ("00909", "Zed", "Elm", "zed@uni.example", "", None, False),
)
LIBRE_FAULTS = (
    (6, "Student ID", "ID_PRECISION_LOST"),
    (7, "Given Name", "EXCEL_ERROR"),
    (8, "Student ID", "DATE_NOT_TEXT"),
    (9, "Level", "EXCEL_ERROR"),
)


def book(
    *rows: Sequence[object],
    labels: Sequence[object] | None = LABELS,
    change: Callable[[Workbook, Worksheet], object] = lambda *_: None,
) -> bytes:
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row in (*([labels] if labels else []), *rows):
        sheet.append(list(row))
    change(workbook, sheet)
    file = BytesIO()
    workbook.save(file)
    return file.getvalue()


def with_notes(workbook: Workbook, sheet: Worksheet) -> None:
    workbook.create_sheet("Notes", 0).append(["how to fill in the roll"])


def with_hidden_old_roll(workbook: Workbook, sheet: Worksheet) -> None:
    old = workbook.create_sheet("Old", 0)
    old.append(["id", "email"])
    old.append(["9", "u9@x.edu"])
    old.sheet_state = "hidden"


def with_merged_title(workbook: Workbook, sheet: Worksheet) -> None:
    sheet.insert_rows(1, 2)
    sheet["A1"] = "Voter roll"
    sheet.merge_cells("A1:G1")


def with_blank_formatted_rows(workbook: Workbook, sheet: Worksheet) -> None:
    for row in range(3, 300):
        sheet.cell(row, 1).number_format = "@"


def faulty(name: str, cells: Sequence[object], *faults: tuple[int, str, str]) -> Roll:
    return Roll(
        name, book(ANN_CELLS, cells), (ANN,), counts={"created": 1, "rejected": 1}, faults=faults
    )


ROLLS = (
    saved("numbers, text and truth", book(ANN_CELLS, BEN_CELLS), ANN, BEN),
    saved("an id as a number loses its fraction", book([12345.0, *ANN_CELLS[1:3], "u@x.edu"]),
          ("12345", "Ann", "Lee", "u@x.edu", "", None, False)),
    saved("an id as text keeps its zeros", book(["00042", None, None, "u@x.edu"]),
          bare("00042", "u@x.edu")),
    saved("an id of fifteen digits", book([123456789012345, None, None, "u@x.edu"]),
          bare("123456789012345", "u@x.edu")),
    faulty("an id of sixteen digits", [1234567890123456, "A", "B", "u3@x.edu"],
           (3, "student_id", "ID_PRECISION_LOST")),
    faulty("an id that Excel took for a date", [datetime(2026, 3, 12), "A", "B", "u3@x.edu"],  # noqa: DTZ001
           (3, "student_id", "DATE_NOT_TEXT")),
    faulty("an error cell", ["3", "A", "#REF!", "u3@x.edu"], (3, "last_name", "EXCEL_ERROR")),
    faulty("a formula saved without its result", ["3", "A", "B", '="u3"&"@x.edu"'],
           (3, "email", "FORMULA_NO_VALUE")),
    faulty("half a year as a number", ["3", "A", "B", "u3@x.edu", "Law", 2.5],
           (3, "year", "INVALID_YEAR")),
    faulty("truth where a year belongs", ["3", "A", "B", "u3@x.edu", "Law", True],
           (3, "year", "INVALID_YEAR")),
    saved("a note on the first sheet", book(ANN_CELLS, change=with_notes), ANN),
    saved("a hidden sheet before the roll", book(ANN_CELLS, change=with_hidden_old_roll), ANN),
    saved("a merged title", book(ANN_CELLS, change=with_merged_title), ANN),
    saved("hundreds of blank formatted rows", book(ANN_CELLS, change=with_blank_formatted_rows),
          ANN),
    Roll("a blank row between voters", book(ANN_CELLS, [], BEN_CELLS), (ANN, BEN),
         counts={"created": 2, "blank_rows": 1}),
    saved("text with blanks around it", book([" 1 ", "\u00a0Ann", *ANN_CELLS[2:]]), ANN),
    saved("an id that reads like an escape", book(["S_x005F_x0041_1", *ANN_CELLS[1:]]),
          voter("S_x0041_1", email="u1@x.edu")),
    saved("an escaped return", book(["1", "Ann_x000D_\nMay", *ANN_CELLS[2:]]),
          voter("1", "Ann\r\nMay")),
    refused("no roll in it", book(["hello"], labels=None), FileCode.MISSING_COLUMNS,
            "The service knows no header of the file"),
    refused("an empty workbook", book(labels=None), FileCode.EMPTY_FILE, "empty"),
    refused("half a workbook", book(ANN_CELLS)[:-100], FileCode.UNREADABLE_FILE, "damaged"),
    *(
        Roll(f"saved by LibreOffice as {kind}", (WORKBOOKS / f"libreoffice.{kind}").read_bytes(),
             LIBRE_VOTERS,
             counts={"created": 3, "rejected": 4, "blank_rows": 1}, faults=LIBRE_FAULTS)
        for kind in ("xlsx", "xls", "ods")
    ),
)  # fmt: skip
