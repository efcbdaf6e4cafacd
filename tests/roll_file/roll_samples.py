"""Small files for the tests of shared/roll_file, and helpers that read them."""

import csv
import os
import re
import resource
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from io import BytesIO, StringIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, is_zipfile

from openpyxl import Workbook

from shared.roll_file.errors import FileFault
from shared.roll_file.limits import MIB, Limits, ReadOptions
from shared.roll_file.reader import open_roll
from shared.roll_file.rows.row import Row
from shared.roll_file.rows.validation import FaultyRow, StagedRow, compile_validator

LABELS = ("student_id", "first_name", "last_name", "email", "department", "year", "is_eligible")
CLEAN = ("S001", "Ada", "Moss", "ada.moss@uni.example", "Physics", "3", "yes")
SHEET = "xl/worksheets/sheet1.xml"
STRINGS_RELATION = (
    b'<Relationship Id="rId99" Target="sharedStrings.xml" Type="http://schemas.openxmlformats.org'
    b'/officeDocument/2006/relationships/sharedStrings"/></Rel'
)
STRINGS_TYPE = (
    b'<Override PartName="/xl/sharedStrings.xml" ContentType="application/vnd.openxmlformats-'
    b'officedocument.spreadsheetml.sharedStrings+xml"/></Types'
)


def csv_roll(
    rows: Iterable[Sequence[object]],
    *,
    labels: Sequence[str] = LABELS,
    encoding: str = "utf-8",
    delimiter: str = ",",
    line_end: str = "\r\n",
) -> bytes:
    """A CSV file as a spreadsheet program writes it."""
    text = StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(labels)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def xlsx_roll(
    rows: Iterable[Sequence[object]], *, labels: Sequence[object] = LABELS, title: str = "Roll"
) -> bytes:
    """A workbook with one sheet, as openpyxl writes it."""
    workbook = Workbook()
    sheet = workbook.create_sheet(title, 0)
    for row in (labels, *rows):
        sheet.append(list(row))
    del workbook["Sheet"]
    return saved(workbook)


def saved(workbook: Workbook) -> bytes:
    """The bytes of a workbook."""
    file = BytesIO()
    workbook.save(file)
    return file.getvalue()


def repacked(data: bytes, changes: Mapping[str, Callable[[bytes], bytes]]) -> bytes:
    """The same zip archive with some of its parts changed."""
    file = BytesIO()
    with ZipFile(BytesIO(data)) as old, ZipFile(file, "w", ZIP_DEFLATED) as new:
        for member in old.infolist():
            change = changes.get(member.filename, bytes)
            new.writestr(member.filename, change(old.read(member)))
    return file.getvalue()


def with_cells(xml: str, *, labels: Sequence[str] = LABELS) -> bytes:
    """A workbook with a header in row 1. `xml` holds the rows below it."""

    def insert(sheet: bytes) -> bytes:
        return sheet.replace(b"</sheetData>", xml.encode() + b"</sheetData>")

    return repacked(xlsx_roll([], labels=labels), {SHEET: insert})


def with_strings(table: bytes, cell: str) -> bytes:
    """A workbook with a table of shared strings. Cell A2 can refer to it."""
    data = repacked(
        with_cells(f'<row r="2">{cell}</row>', labels=("ID", "Mail")),
        {
            "xl/_rels/workbook.xml.rels": lambda xml: xml.replace(b"</Rel", STRINGS_RELATION, 1),
            "[Content_Types].xml": lambda xml: xml.replace(b"</Types", STRINGS_TYPE, 1),
        },
    )
    file = BytesIO(data)
    with ZipFile(file, "a", ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/sharedStrings.xml",
            b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
            + table
            + b"</sst>",
        )
    return file.getvalue()


def rows_of(data: bytes, options: ReadOptions | None = None, **limits: int) -> list[Row]:
    """The data rows of a file. For a workbook, openpyxl must read the same rows."""
    rows = _rows_of(data, options, **limits)
    if is_zipfile(BytesIO(data)) and limits.get("fast_sheet_bytes") != 0:
        assert _alike(rows, _rows_of(data, options, **limits, fast_sheet_bytes=0))
    return rows


def _rows_of(data: bytes, options: ReadOptions | None = None, **limits: int) -> list[Row]:
    with open_roll(BytesIO(data), options or ReadOptions(), limits=Limits(**limits)) as reader:
        return [(line, list(cells)) for line, cells in reader]


def _alike(rows: list[Row], others: list[Row]) -> bool:
    """Whether the rows are equal, booleans as booleans. A whole float equals its integer."""
    kinds = [[type(cell) is bool for cell in cells] for _, cells in rows]
    return rows == others and kinds == [
        [type(cell) is bool for cell in cells] for _, cells in others
    ]


def results_of(data: bytes) -> list[StagedRow | FaultyRow | None]:
    """The result of the validator for each row."""
    with open_roll(BytesIO(data)) as reader:
        validate = compile_validator(reader.header)
        return [validate(line, cells) for line, cells in reader]


def fault_of(data: bytes, options: ReadOptions | None = None, **limits: int) -> FileFault:
    """The fault with which reading the file ends."""
    try:
        rows_of(data, options, **limits)
    except FileFault as fault:
        return fault
    raise AssertionError("the file was read without a fault")


def codes_of(result: StagedRow | FaultyRow | None) -> list[str]:
    """The codes of a rejected row."""
    assert isinstance(result, FaultyRow)
    return [str(error.code) for error in result.errors]


def without_dimension(sheet: bytes) -> bytes:
    """A sheet part without a statement of its size."""
    return re.sub(rb"<dimension[^>]*/>", b"", sheet)


def exit_status(data: bytes, *, memory_mib: int, cpu_seconds: int = 60) -> int:
    """Read the file in a new process and return how it ends.

    0 means rows or a fault, and 1 any other error. A negative number is the signal that ended it
    because it exceeded a limit. The limits are `memory_mib` above the memory of this process, and
    `cpu_seconds`.
    """
    child = os.fork()
    if child == 0:
        status = 1
        try:
            for kind, limit in (
                (resource.RLIMIT_DATA, _data_bytes() + memory_mib * MIB),
                (resource.RLIMIT_CPU, cpu_seconds),
                (resource.RLIMIT_CORE, 0),
            ):
                resource.setrlimit(kind, (limit, limit))
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            with suppress(FileFault), open_roll(BytesIO(data)) as reader:
                validate = compile_validator(reader.header)
                for line, cells in reader:
                    validate(line, cells)
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _data_bytes() -> int:
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    found = re.search(r"VmData:\s+(\d+) kB", status)
    assert found is not None
    return int(found.group(1)) * 1024
