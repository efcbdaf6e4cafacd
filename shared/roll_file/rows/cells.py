"""Read one cell as the value of one field. This module defines the exact meaning of every cell."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from math import isfinite

from shared.roll_file.errors import BadCell, RowCode, TextTooLong
from shared.roll_file.fields import MAX_CHARS
from shared.roll_file.rows.row import Cell, NoValue
from shared.roll_file.rows.text import (
    COMPOSED_CHARS,
    clean,
    code_point,
    forbidden_in_text,
    invisible,
    is_mark,
    trim,
)

# The longest text of a year or an eligibility. Longer text is neither.
MAX_WORD_CHARS = 64
MIN_YEAR = 1
MAX_YEAR = 12
# Excel keeps 15 digits of a number (IEEE 754 double precision, as Excel shows it).
FIRST_LOSSY_NUMBER = 10**15

TRUE_WORDS = ("true", "yes", "y", "t", "1", "1.0")
FALSE_WORDS = ("false", "no", "n", "f", "0", "0.0")
EXCEL_ERRORS = frozenset(
    {
        *("#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"),
        *("#FIELD!", "#BLOCKED!", "#CONNECT!", "#UNKNOWN!", "#BUSY!", "#GETTING_DATA"),
    }
)

# The forms that spreadsheet programs write: 1.23E+10 (some leave out the plus sign), 12E+3 and
# 20.23E+9. Without the plus sign, and with more digits before the E, it may be a real id: 12E3.
SCIENTIFIC = re.compile(r"[+-]?(?:\d[.,]\d+E\d+|\d+(?:[.,]\d*)?E[+-]\d+)", re.IGNORECASE)
# How programs prevent Excel from reading a text of a CSV file as a number.
FORMULA_OF_TEXT = '="'
_FORMULA_OF_TEXT = re.compile(r'="((?:[^"]|"")*)"')
_ERROR_NUMBER = re.compile(r"Err:\d{3}", re.ASCII)
# Each quotation mark in it is doubled.
_SPELT_CHARS = 2 * COMPOSED_CHARS
_YEAR = re.compile(r"0*(\d{1,2})(?:\.0+)?", re.ASCII)
# An email address as a university assigns it, not all that RFC 5322 allows. There is no quoted
# local part, no comment and no address literal. Letters beyond ASCII are as in RFC 6531. Lengths
# are from RFC 5321, section 4.5.3.1. No part of the pattern can match the same text in two ways.
_ATOM = r"[\w!#$%&'*+/=?^`{|}~-]+"
_LABEL = r"[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])?"
_TOP_LABEL = r"(?!\d)[^\W_](?:(?:[^\W_]|-){0,61}[^\W_])"
_EMAIL_FORM = rf"(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_TOP_LABEL}"
_EMAIL = re.compile(_EMAIL_FORM)
_SIGN = "[A-Za-z0-9]"
# The form of nearly all email addresses, matched five times as fast. It matches only valid ones of
# at most PLAIN_EMAIL_CHARS characters, which leaves no room for a part that is too long.
PLAIN_EMAIL = re.compile(rf"{_SIGN}+(?:[._+-]{_SIGN}+)*@(?:{_SIGN}+[.-])*(?<=\.)[A-Za-z]{{2,}}")
PLAIN_EMAIL_CHARS = 64


def as_text(cell: Cell, max_chars: int) -> str:
    """Return the cell as text, trimmed and composed. A blank cell is "".

    - A whole number loses the ".0" of Excel's floats.
    - A boolean is written as Excel shows it.
    - A date is written in ISO 8601.
    - `="007"` is 007.

    Raises `BadCell` for a cell without a value. Raises `TextTooLong` before it does any work on a
    text that is too long.
    """
    if not isinstance(cell, str):
        text = value_as_text(cell)
        if len(text) > max_chars:
            raise TextTooLong(len(text))
        return text
    text = clean(_unquote_formula(trim(cell), max_chars), max_chars)
    if text in EXCEL_ERRORS:
        raise _excel_error(text)
    return text


def _unquote_formula(text: str, max_chars: int) -> str:
    """Return the content of `="..."`, or the text itself."""
    if text.startswith(FORMULA_OF_TEXT) and len(text) <= _SPELT_CHARS * max_chars:
        match = _FORMULA_OF_TEXT.fullmatch(text)
        return match.group(1).replace('""', '"') if match else text
    return text


def value_as_text(cell: float | date | time | timedelta | NoValue | None) -> str:
    """Convert a cell that is not text, in the way of `as_text`. Raises `BadCell`."""
    match cell:
        case None:
            return ""
        case bool():
            return "TRUE" if cell else "FALSE"
        case int() | float():
            return _number_as_text(cell)
        case NoValue():
            raise _no_value(cell)
        case _:
            return _moment_as_text(cell)


def _number_as_text(number: float) -> str:
    if isinstance(number, int):
        return str(number)
    if not isfinite(number):
        raise _excel_error("#NUM!")
    return str(int(number)) if number == number // 1 else repr(number)


def _moment_as_text(cell: date | time | timedelta) -> str:
    if isinstance(cell, timedelta):
        return str(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        return cell.date().isoformat()
    return cell.isoformat()


def readable(cell: Cell) -> str:
    """Return the cell for people as its file shows it: untrimmed text, errors and formulas."""
    if isinstance(cell, str | NoValue) or (isinstance(cell, float) and not isfinite(cell)):
        return str(cell)
    return value_as_text(cell)


def _no_value(cell: NoValue) -> BadCell:
    if cell.code is RowCode.EXCEL_ERROR:
        # Some formats can have any text as an error.
        is_known = cell.text in EXCEL_ERRORS or _ERROR_NUMBER.fullmatch(cell.text)
        return _excel_error(cell.text if is_known else "#VALUE!")
    return BadCell(
        cell.code,
        "The formula was saved without its result. Open the workbook in Excel and save it"
        " again, or replace the formula with its value.",
    )


def _excel_error(text: str) -> BadCell:
    return BadCell(
        RowCode.EXCEL_ERROR, f"The cell has the Excel error {text}. Put the right value there."
    )


def read_student_id(cell: Cell) -> str:
    """Return the id as text, never as a number. Raises `BadCell` for an id that has lost digits."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        if abs(cell) >= FIRST_LOSSY_NUMBER:
            raise BadCell(
                RowCode.ID_PRECISION_LOST,
                "Excel keeps only 15 digits of a number. Format the column as text, and"
                " enter the id again from the registrar's record.",
            )
    elif isinstance(cell, date | time | timedelta):
        raise BadCell(
            RowCode.DATE_NOT_TEXT,
            "Excel has turned the id into a date. Format the column as text, and enter the"
            " id again.",
        )
    text = _visible(cell, "student_id")
    if '"' in text:
        raise BadCell(
            RowCode.STRAY_QUOTE,
            'The id has a quotation mark ("), which is probably left over from another'
            " cell. Delete the mark, or look for one that is missing.",
        )
    if SCIENTIFIC.fullmatch(text.lstrip("'")):
        raise BadCell(
            RowCode.ID_SCIENTIFIC,
            "The id was saved in scientific notation, and its digits are lost. Format the"
            " column as text, and enter the id again from the registrar's record.",
        )
    if text.startswith("'"):
        raise BadCell(
            RowCode.STRAY_QUOTE,
            "The id begins with an apostrophe ('). Spreadsheet programs and rejects files"
            " use it to protect a number. Delete the apostrophe.",
        )
    return text


def read_email(cell: Cell) -> str:
    """Return the email address as it is written. Checks only its form."""
    text = _visible(cell, "email")
    if text and not _EMAIL.fullmatch(_without_marks(text)):
        raise BadCell(
            RowCode.INVALID_EMAIL, "Give one email address of the form name@university.edu."
        )
    return text


def _without_marks(address: str) -> str:
    """Replace each mark that belongs to the letter or mark before it with a letter.

    The scripts of South Asia write vowels as marks. RFC 5892 allows them in a domain name.
    """
    if address.isascii():
        return address
    signs = list(address)
    for index in range(1, len(signs)):
        if is_mark(signs[index]) and signs[index - 1].isalnum():
            signs[index] = "a"
    return "".join(signs)


def read_text(field: str) -> Callable[[Cell], str | None]:
    """Return a reader for a name or the department. The reader returns None for a blank cell."""

    def read(cell: Cell) -> str | None:
        text = _text_that_fits(cell, field)
        sign = forbidden_in_text(text)
        if sign:
            raise _control(sign)
        return text or None

    return read


def read_year(cell: Cell) -> int | None:
    """Return the year of study, or None for a blank cell."""
    text = _word(cell)
    if text == "":
        return None
    match = None if text is None or isinstance(cell, bool) else _YEAR.fullmatch(text)
    year = int(match.group(1)) if match else 0
    if not MIN_YEAR <= year <= MAX_YEAR:
        raise BadCell(
            RowCode.INVALID_YEAR,
            f"Give the year of study as a whole number from {MIN_YEAR} to {MAX_YEAR}, or leave the"
            " cell blank.",
        )
    return year


def read_eligibility(cell: Cell) -> bool | None:
    """Return whether the voter may vote, or None for a blank cell."""
    text = _word(cell)
    if text == "":
        return None
    word = text.casefold() if text else None
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise BadCell(
        RowCode.INVALID_ELIGIBILITY, "Give yes or no (or true/false, 1/0), or leave the cell blank."
    )


def _word(cell: Cell) -> str | None:
    """Return the cell as text, or None for a text that is too long."""
    try:
        return as_text(cell, MAX_WORD_CHARS)
    except TextTooLong:
        return None


def _visible(cell: Cell, field: str) -> str:
    """Return the text of an id or email address, which must have no invisible character.

    Two ids or addresses that look the same must be the same.
    """
    text = _text_that_fits(cell, field)
    sign = invisible(text)
    if sign:
        raise _control(sign)
    return text


def _control(sign: str) -> BadCell:
    return BadCell(
        RowCode.CONTROL_CHARACTER,
        f"The cell has the invisible character {code_point(sign)}. Type the value again.",
    )


def _text_that_fits(cell: Cell, field: str) -> str:
    """Return the cell as text. Raises `BadCell` if it is too long for its field."""
    try:
        return as_text(cell, MAX_CHARS[field])
    except TextTooLong as error:
        raise BadCell(
            RowCode.FIELD_TOO_LONG,
            f"The value has {error.chars:,} characters, and at most {MAX_CHARS[field]} are"
            " allowed. Shorten it.",
        ) from None
