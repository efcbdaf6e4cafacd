"""Export the roll as CSV that spreadsheet programs do not change and an import reads back.

A column without content, `_disarmed`, shows an import that the cells are disarmed.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice

from shared.roll_file.fields import FIELDS, VoterRow
from shared.roll_file.formats import Format
from shared.roll_file.rows.cells import FORMULA_OF_TEXT
from shared.roll_file.rows.row import Cell
from shared.roll_file.writing.disarming import arm, disarm
from shared.roll_file.writing.rejects import BOM, is_rejects_file

DISARMED_COLUMN = "_disarmed"
LABELS = (*FIELDS, DISARMED_COLUMN)
BLOCK_ROWS = 2_000
# Excel's own limit of rows, without the header.
MAX_SHEET_VOTERS = 1_048_575

# The spelling of ECMA-376 part 1, 22.9.2.19, for characters that XML cannot contain.
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
# An underscore that begins a text like an escape, even if only after the next character is spelled
# out.
_LIKE_ESCAPE = re.compile("_(?=x[0-9A-Fa-f]{4}[_\r\n\ufffe\uffff])")
_LINE_BREAK = re.compile("[\r\n]")
# A reader looks for rows after a line break in a cell, and drops a BOM.
_ROW_LIKE = (",", "@", "\ufeff")
_MAX_BREAKS = 20


def csv_blocks(voters: Iterable[VoterRow]) -> Iterator[bytes]:
    """Yield a CSV file of the voters, in UTF-8 with a byte order mark, in constant memory."""
    yield f"{BOM}{','.join(LABELS)}\r\n".encode()
    rows = map(_csv_row, voters)
    while block := list(islice(rows, BLOCK_ROWS)):
        text = io.StringIO(newline="")
        csv.writer(text).writerows(block)
        yield text.getvalue().encode()


def _csv_row(voter: VoterRow) -> list[str]:
    student_id, first_name, last_name, email, department, year, is_eligible = voter
    return [
        _csv_cell(student_id),
        _repeated_cell(first_name),
        _repeated_cell(last_name),
        # Programs neither run nor change a cell that begins with a letter or digit and has an "@".
        email
        if email[0].isalnum() and "_x" not in email and "|" not in email
        else _csv_cell(email),
        _repeated_cell(department),
        "" if year is None else str(year),
        "true" if is_eligible else "false",
        "",
    ]


def _csv_cell(text: str) -> str:
    return disarm(_in_one_line(spell(text)))


# Names and departments repeat often.
_repeated_cell = lru_cache(maxsize=4_096)(_csv_cell)


def spell(text: str) -> str:
    """Return a cell that an import reads as this text. It differs only for text like `="007"`."""
    if not text.startswith(FORMULA_OF_TEXT):
        return text
    content = text.replace('"', '""')
    return f'="{content}"'


def _in_one_line(text: str) -> str:
    """Spell out line breaks where a reader could take them for the ends of rows."""
    text = protect(text)
    if not _LINE_BREAK.search(text):
        return text
    is_safe = not any(sign in text for sign in _ROW_LIKE)
    if is_safe and len(_LINE_BREAK.findall(text)) <= _MAX_BREAKS:
        return text
    return re.sub("[\r\n]", lambda match: escape(match.group()), text)


def protect(text: str) -> str:
    """Protect a `_xHHHH_` in the text from being read as an escape."""
    return _LIKE_ESCAPE.sub("_x005F_", text) if "_x" in text else text


def escape(sign: str) -> str:
    """Return the escape of one character."""
    return f"_x{ord(sign):04X}_"


def is_disarmed(labels: Sequence[str]) -> bool:
    """Whether this service wrote the header above disarmed cells."""
    return DISARMED_COLUMN in labels or is_rejects_file(labels)


def original_cells(cells: Sequence[Cell], labels: Sequence[str], file_format: Format) -> list[Cell]:
    """Return the cells of such a file without what disarmed them."""
    spreadsheet_cells = [arm(cell) if isinstance(cell, str) else cell for cell in cells]
    if file_format is not Format.CSV or is_rejects_file(labels):
        return spreadsheet_cells
    return [
        _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), cell)
        if isinstance(cell, str) and "_x" in cell
        else cell
        for cell in spreadsheet_cells
    ]
