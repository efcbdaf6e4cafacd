"""Quotation marks that do not do what they seem to: each could make voters vanish in a cell."""

import csv
import re
from collections.abc import Sequence

from shared.roll.columns import Header
from shared.roll.errors import FileCode, FileFault

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


def split_alone(line: str, delimiter: str) -> list[str] | None:
    """The cells of a line in which text follows a closing quotation mark; None if it stays open.

    Blanks there mean nothing. Other text tells that a mark is missing or too many, so nobody knows
    where the cells begin and end: the whole line is one cell then, too few for any roll.
    """
    after_mark = re.compile(rf'" +(?={re.escape(delimiter)}|[\r\n]*$)')
    line = line.rstrip("\r\n")
    try:
        return _split(after_mark.sub('"', line), delimiter, strict=True)
    except csv.Error:
        return [line] if _split(line, delimiter, strict=False) else None


def _split(line: str, delimiter: str, *, strict: bool) -> list[str] | None:
    reader = csv.reader([line, ""], delimiter=delimiter, skipinitialspace=True, strict=strict)
    cells = next(reader)
    return cells if reader.line_num == 1 else None


def has_swallowed(cells: Sequence[str], delimiter: str, header: Header) -> bool:
    """Whether rows stand in a cell with line breaks, which two stray marks have put there.

    A line of an honest cell, a postal address say, has no e-mail address in just the column where
    the roll has it, and an honest row has no second one there. A field of the roll has no line
    with as many delimiters as a row.
    """
    width = len(header.labels)
    email = header.columns["email"]
    for index, cell in enumerate(cells):
        first, *more = _LINE_BREAK.split(cell)
        if not more:
            continue
        inside = [line.split(delimiter) for line in more]
        above = [*cells[:index], *first.split(delimiter)]
        below = [*inside[-1], *cells[index + 1 :]]
        if any(_has_address(row, email) for row in inside if len(row) > 1):
            return True
        if _has_address(above, email) and _has_address(below, email):
            return True
        if (
            delimiter in cell
            and index in header.columns.values()
            and ("@" in cell or width in (len(above), len(below)))
        ):
            return True
    return False


def _has_address(row: Sequence[str], column: int) -> bool:
    return column < len(row) and "@" in row[column] and " " not in row[column].strip()


def unclosed_quote(line: int) -> FileFault:
    """The fault of a file in which the mark in this line makes rows vanish."""
    return FileFault(
        FileCode.UNCLOSED_QUOTE,
        f'A quotation mark (") in line {line:,} opens a cell that does not end where its row'
        " ends, so the rows below cannot be told apart. Please close or delete the mark.",
    )
