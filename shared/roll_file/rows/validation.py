"""Turn a row of cells into a voter or a list of faults.

`compile_validator` makes one function for a file. Its first lines accept clean rows. A few cheap
tests there decide that the exact rules of `shared.roll_file.rows.cells` would change nothing. Every
other row goes to `_examine`, which applies these rules and finds all faults. Both must agree on
every row.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from shared.roll_file.errors import BadCell, RowCode, RowError
from shared.roll_file.fields import FIELDS, KEY, MAX_CHARS, REQUIRED
from shared.roll_file.rows.cells import (
    FALSE_WORDS,
    FIRST_LOSSY_NUMBER,
    FORMULA_OF_TEXT,
    MAX_YEAR,
    MIN_YEAR,
    PLAIN_EMAIL,
    PLAIN_EMAIL_CHARS,
    SCIENTIFIC,
    TRUE_WORDS,
    read_eligibility,
    read_email,
    read_student_id,
    read_text,
    read_year,
    readable,
    value_as_text,
)
from shared.roll_file.rows.columns import Header
from shared.roll_file.rows.row import Cell
from shared.roll_file.rows.text import is_composed, shorten, trim

StagedRow = tuple[int, str, str | None, str | None, str, str | None, int | None, bool | None]
Legible = tuple[int, str, str | None, str | None, str | None, str | None, int | None, bool | None]


@dataclass(frozen=True, slots=True)
class FaultyRow:
    """A row that is not saved: all its faults, and the fields for which it states nothing.

    `legible` is the row as far as it can be read, with None for every blank or faulty cell. It is
    None if the id cannot be read, or if the cells may be in the wrong columns.
    """

    errors: tuple[RowError, ...]
    missing: tuple[str, ...]
    legible: Legible | None = None


Validate = Callable[[int, Sequence[Cell]], StagedRow | FaultyRow | None]

_READERS: Mapping[str, Callable[[Cell], object]] = {
    "student_id": read_student_id,
    "first_name": read_text("first_name"),
    "last_name": read_text("last_name"),
    "email": read_email,
    "department": read_text("department"),
    "year": read_year,
    "is_eligible": read_eligibility,
}
_YEARS: Mapping[str, int | None] = {"": None} | {
    spelling: year
    for year in range(MIN_YEAR, MAX_YEAR + 1)
    for spelling in (f"{year}", f"{year:02}", f"{year}.0")
}
_ELIGIBILITIES: Mapping[str, bool | None] = {"": None} | {
    spelling: word in TRUE_WORDS
    for word in (*TRUE_WORDS, *FALSE_WORDS)
    for spelling in (word, word.upper(), word.title())
}
# In a row of at most this many characters, only the id can be too long.
_SHORT_ROW_CHARS = min(chars for name, chars in MAX_CHARS.items() if name not in REQUIRED)
_NOTHING = (None, "")
_BLANKS = frozenset(_NOTHING)
_MAX_ID_CHARS = MAX_CHARS[KEY]


def compile_validator(header: Header) -> Validate:
    """Return the validator for the rows below `header`.

    The validator returns None for a blank row, else the voter or the faults.
    """
    width = len(header.labels) + header.unnamed
    is_complete = not header.missing
    pick = itemgetter(*(header.columns.get(field, width) for field in FIELDS))
    is_plain_email = PLAIN_EMAIL.fullmatch
    is_scientific = SCIENTIFIC.fullmatch
    years, eligibilities = _YEARS, _ELIGIBILITIES

    def validate(line: int, cells: Sequence[Cell]) -> StagedRow | FaultyRow | None:
        if len(cells) == width:
            fields = pick(cells if is_complete else (*cells, ""))
            try:
                row = " ".join(fields)
            except TypeError:
                fields = _plain_texts(fields)
                row = " ".join(fields)
            student_id, first_name, last_name, email, department, year, eligible = fields
            student_id = student_id.strip()
            email = email.strip()
            if (
                len(row) <= _SHORT_ROW_CHARS
                and row.isprintable()
                and "#" not in row
                and FORMULA_OF_TEXT not in row
                and (
                    student_id.isalnum()
                    or (
                        student_id
                        and '"' not in student_id
                        and student_id[0] != "'"
                        and not is_scientific(student_id)
                    )
                )
                and len(student_id) <= _MAX_ID_CHARS
                and len(email) <= PLAIN_EMAIL_CHARS
                and is_plain_email(email)
                and (row.isascii() or is_composed(row))
                and year in years
                and eligible in eligibilities
            ):
                return (
                    line,
                    student_id,
                    first_name.strip() or None,
                    last_name.strip() or None,
                    email,
                    department.strip() or None,
                    years[year],
                    eligibilities[eligible],
                )
        return _examine(header, line, cells)

    return validate


def _plain_texts(cells: Sequence[Cell]) -> list[str]:
    """Return the cells of an Excel row as text.

    A cell that is not plain becomes a text that is not printable, so `_examine` gets the row.
    """
    return [
        cell if type(cell) is str else _TEXTS.get(type(cell), _not_plain)(cell) for cell in cells
    ]


def _not_plain(cell: Cell) -> str:
    return "\x00"


def _plain_number(cell: int | float) -> str:
    return str(int(cell)) if -1 < cell < FIRST_LOSSY_NUMBER and cell == int(cell) else "\x00"


_TEXTS: Mapping[type, Callable[..., str]] = {
    int: _plain_number,
    float: _plain_number,
    bool: value_as_text,
    type(None): value_as_text,
}


def _examine(header: Header, line: int, cells: Sequence[Cell]) -> StagedRow | FaultyRow | None:
    """Apply the exact rules to a row, which is slow: read every field, keep every fault."""
    if _BLANKS.issuperset(cells) or all(_is_blank(cell) for cell in cells):
        return None
    width = len(header.labels)
    more = cells[width + header.unnamed :]
    if len(cells) < width or not (
        _BLANKS.issuperset(more) or all(_is_blank(cell) for cell in more)
    ):
        cell_count = width if len(cells) < width else width + header.unnamed
        return FaultyRow((_count_error(line, cells, cell_count),), header.missing)
    field_cells = [
        cells[header.columns[field]] if field in header.columns else None for field in FIELDS
    ]
    values = [
        _value_or_error(header, line, *pair) for pair in zip(FIELDS, field_cells, strict=True)
    ]
    missing = tuple(field for field, value in zip(FIELDS, values, strict=True) if value in _NOTHING)
    errors = [value for value in values if isinstance(value, RowError)]
    errors += [_missing_error(header, line, field) for field in REQUIRED if field in missing]
    if errors:
        return FaultyRow(tuple(errors), missing, _legible(line, values))
    return (line, *values)  # type: ignore[return-value]


def _value_or_error(header: Header, line: int, field: str, cell: Cell) -> object:
    try:
        return _READERS[field](cell)
    except BadCell as bad:
        label = header.labels[header.columns[field]]
        return RowError(line, label, bad.code, shorten(readable(cell)), bad.message)


def _legible(line: int, values: Sequence[object]) -> Legible | None:
    plain = [None if isinstance(value, RowError) or value == "" else value for value in values]
    return None if plain[0] is None else (line, *plain)  # type: ignore[return-value]


def _is_blank(cell: Cell) -> bool:
    return cell is None or (isinstance(cell, str) and not trim(cell))


def _missing_error(header: Header, line: int, field: str) -> RowError:
    return RowError(
        line,
        header.labels[header.columns[field]],
        RowCode.MISSING_FIELD,
        "",
        f"The row has no {field}, and no voter is saved without it. Fill in the cell.",
    )


def _count_error(line: int, cells: Sequence[Cell], width: int) -> RowError:
    return RowError(
        line,
        "",
        RowCode.COLUMN_COUNT,
        shorten(" | ".join(readable(cell) for cell in cells[:100])),
        f"The row has {len(cells):,} cells and the header {width}. Look for an extra or a"
        " missing delimiter or quotation mark.",
    )


def conflict_error(
    line: int, other_lines: Sequence[int], more: bool, column: str, value: str
) -> RowError:
    """Return the fault of a row whose student id has other values in other lines.

    `other_lines` are named. `more` says whether there are further lines.
    """
    names = [f"{other:,}" for other in other_lines] + (["others"] if more else [])
    lines = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return RowError(
        line,
        column,
        RowCode.CONFLICTING_ROWS,
        shorten(value),
        (
            f"Line {lines} gives this student id different values. Keep the row that is right,"
            " and delete the others."
        )
        if len(names) == 1
        else (
            f"Lines {lines} give this student id different values. Keep the row that is right,"
            " and delete the others."
        ),
    )
