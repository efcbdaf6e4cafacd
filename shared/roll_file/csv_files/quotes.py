"""Find misplaced quotation marks, each of which could hide voters inside a cell."""

import csv
import re
from collections.abc import Sequence

from shared.roll_file.csv_files.splitting import split_lines
from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.rows.columns import Header

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_DIGIT = re.compile(r"\d")
_BLANK = re.compile(r"\s")
_NUMBER = re.compile(r"\d+")
_WORD = re.compile(r"[^\W\d_]+")


def split_alone(line: str, delimiter: str) -> list[str] | None:
    """Split a line with text after a closing quotation mark. Return None if a mark stays open.

    Blanks there have no effect. Other text shows that a mark is missing or extra, so the cell
    boundaries are unknown. The whole line is then one cell, which is too few for any roll.
    """
    after_mark = re.compile(rf'" +(?={re.escape(delimiter)}|[\r\n]*$)')
    line = line.rstrip("\r\n")
    try:
        return _split(after_mark.sub('"', line), delimiter, strict=True)
    except csv.Error:
        return [line] if _split(line, delimiter, strict=False) else None


def _split(line: str, delimiter: str, *, strict: bool) -> list[str] | None:
    reader = split_lines([line, ""], delimiter, strict=strict)
    cells = next(reader)
    return cells if reader.line_num == 1 else None


def has_swallowed(cells: Sequence[str], delimiter: str, header: Header) -> bool:
    """Whether a cell with line breaks contains rows, because of two stray quotation marks.

    A mark that opens a cell and a mark that closes it are valid (RFC 4180), with any characters
    between them. There are two exceptions:
    - A line of the cell is a row of this roll.
    - The record splits into rows at its line ends.
    """
    rows = _RowShape(header)
    fits = rows.fits(cells)
    for index, cell in enumerate(cells):
        if not _LINE_BREAK.search(cell):
            continue
        lines = [_pieces(line, delimiter) for line in _LINE_BREAK.split(cell)]
        above = [*cells[:index], *lines[0]]
        below = [*lines[-1], *cells[index + 1 :]]
        inside = lines[1:-1]
        # For these two, id and email address must be text of the cell, as in the lines between. If
        # the record itself is not a row, they need not be.
        if index <= min(rows.places) or not fits:
            inside.append(above)
        if max(rows.places) < len(lines[-1]) or not fits:
            inside.append(below)
        own_id = _own_id(cells, index, header) if fits else ""
        if any(rows.is_row(row, own_id) for row in inside):
            return True
        if rows.are_two_rows(above, below, is_field=index in header.columns.values()):
            return True
    return False


def may_have_swallowed(cells: Sequence[str], delimiter: str, header: Header) -> bool:
    """Whether a name or department with line breaks has an email address and a possible id.

    Such lines are not a row, or are a row with one cell too many or too few. It is unknown which,
    so the row does not become a voter. In a column that the roll does not keep, such text is valid.
    """
    fields = header.columns.values()
    for index, cell in enumerate(cells):
        if index not in fields or delimiter not in cell or not _LINE_BREAK.search(cell):
            continue
        pieces = [piece for line in _LINE_BREAK.split(cell) for piece in _pieces(line, delimiter)]
        others = [piece for piece in pieces if not _is_address(piece)]
        own_id = _own_id(cells, index, header)
        if len(others) < len(pieces) and any(_is_like(own_id, piece) for piece in others):
            return True
    return False


class _RowShape:
    """Recognize a row of this roll by its width and its two required cells."""

    def __init__(self, header: Header) -> None:
        self._width = len(header.labels)
        self._widest = self._width + header.unnamed
        self.places = (header.columns["student_id"], header.columns["email"])

    def is_row(self, row: Sequence[str], own_id: str) -> bool:
        """Whether a line has all that a row has. `own_id` is an id of this roll, or ""."""
        student_id, email = self._required(row)
        return self.fits(row) and _is_address(email) and _is_like(own_id, student_id)

    def are_two_rows(self, above: Sequence[str], below: Sequence[str], *, is_field: bool) -> bool:
        """Whether a record that splits into these two may be two rows.

        Required cells of one of them are outside the cell. Two email addresses decide. With one or
        none, two ids of one shape decide, because a note would not have as many delimiters as a
        row.
        """
        if not (self.fits(above) and self.fits(below)):
            return False
        (one_id, one_email), (other_id, other_email) = self._required(above), self._required(below)
        emails = [email for email in (one_email, other_email) if email.strip()]
        if len(emails) == 2 and all(map(_is_address, emails)):
            return _is_like(one_id, other_id)
        shape = _shape(one_id)
        has_shape = "9" in shape and shape == _shape(other_id)
        return has_shape and (is_field or all(map(_is_address, emails)))

    def _required(self, row: Sequence[str]) -> list[str]:
        return [row[place] if place < len(row) else "" for place in self.places]

    def fits(self, row: Sequence[str]) -> bool:
        return len(row) >= self._width and not any(map(str.strip, row[self._widest :]))


def _pieces(line: str, delimiter: str) -> list[str]:
    """Split a line into cells. Its quotation marks are those of a swallowed row."""
    if '"' not in line:
        return line.split(delimiter)
    # A mark that closes a cell may have its partner in an earlier line.
    start = '"' if f'"{delimiter}' in line and line.count('"') % 2 else ""
    return next(split_lines([start + line], delimiter))


def _own_id(cells: Sequence[str], index: int, header: Header) -> str:
    """Return the id outside the cell at `index`, or "" if there is none."""
    place = header.columns["student_id"]
    return cells[place] if place != index and place < len(cells) else ""


def _is_address(text: str) -> bool:
    return "@" in text and " " not in text.strip()


def _is_like(own_id: str, text: str) -> bool:
    """Whether a text may be an id of the same roll as `own_id`.

    Both must have digits, or both none. The same applies to blanks.
    """
    own, other = own_id.strip(), text.strip()
    if not (own and other):
        return bool(other)
    return all(bool(sign.search(own)) == bool(sign.search(other)) for sign in (_DIGIT, _BLANK))


def _shape(text: str) -> str:
    """Return the text with a 9 for each number and an a for each word."""
    return _WORD.sub("a", _NUMBER.sub("9", text.strip()))


def unclosed_quote(line: int) -> FileFault:
    """Return the fault of a file in which the mark in this line hides rows."""
    return FileFault(
        FileCode.UNCLOSED_QUOTE,
        f'A quotation mark (") in line {line:,} opens a cell that does not end where its'
        " row ends. So the service cannot separate the rows below. Close or delete the mark.",
    )
