"""Codes and errors for everything that can be wrong with a roll file, its rows and its cells."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from shared.errors import CodedError, VoterSystemError

MAX_VALUE_CHARS = 200


class RowCode(StrEnum):
    """Why one row was rejected."""

    MISSING_FIELD = "MISSING_FIELD"
    INVALID_EMAIL = "INVALID_EMAIL"
    INVALID_YEAR = "INVALID_YEAR"
    INVALID_ELIGIBILITY = "INVALID_ELIGIBILITY"
    CONFLICTING_ROWS = "CONFLICTING_ROWS"
    ID_PRECISION_LOST = "ID_PRECISION_LOST"
    ID_SCIENTIFIC = "ID_SCIENTIFIC"
    DATE_NOT_TEXT = "DATE_NOT_TEXT"
    FORMULA_NO_VALUE = "FORMULA_NO_VALUE"
    EXCEL_ERROR = "EXCEL_ERROR"
    CONTROL_CHARACTER = "CONTROL_CHARACTER"
    STRAY_QUOTE = "STRAY_QUOTE"
    FIELD_TOO_LONG = "FIELD_TOO_LONG"
    COLUMN_COUNT = "COLUMN_COUNT"


class WarningCode(StrEnum):
    """What the importer accepted, but you should check."""

    REPEATED_ROW = "REPEATED_ROW"
    SHARED_EMAIL = "SHARED_EMAIL"
    REPEATED_HEADER = "REPEATED_HEADER"
    NOT_CREATED = "NOT_CREATED"
    NOT_UPDATED = "NOT_UPDATED"
    ENCODING_ASSUMED = "ENCODING_ASSUMED"


class SignCode(StrEnum):
    """What is odd about a file as a whole, although every row is good."""

    ID_LENGTHS = "ID_LENGTHS"
    MOSTLY_INELIGIBLE = "MOSTLY_INELIGIBLE"
    ONE_DEPARTMENT = "ONE_DEPARTMENT"
    SMALL_ROLL = "SMALL_ROLL"


class FileCode(StrEnum):
    """Why the importer rejected a file as a whole."""

    EMPTY_FILE = "EMPTY_FILE"
    NO_ROWS = "NO_ROWS"
    MISSING_COLUMNS = "MISSING_COLUMNS"
    AMBIGUOUS_COLUMNS = "AMBIGUOUS_COLUMNS"
    SHEET_NOT_FOUND = "SHEET_NOT_FOUND"
    UNSUPPORTED_FORMAT = "UNSUPPORTED_FORMAT"
    UNREADABLE_FILE = "UNREADABLE_FILE"
    ENCODING_ERROR = "ENCODING_ERROR"
    UNCLOSED_QUOTE = "UNCLOSED_QUOTE"
    LINE_TOO_LONG = "LINE_TOO_LONG"
    PASSWORD_PROTECTED = "PASSWORD_PROTECTED"  # noqa: S105
    WORKBOOK_TOO_LARGE = "WORKBOOK_TOO_LARGE"
    TOO_MANY_ROWS = "TOO_MANY_ROWS"
    TOO_MANY_COLUMNS = "TOO_MANY_COLUMNS"


DESCRIPTIONS: Mapping[RowCode | WarningCode | SignCode | FileCode, str] = MappingProxyType(
    {
        RowCode.MISSING_FIELD: "The row has no student id or no email address.",
        RowCode.INVALID_EMAIL: "The email address is not one address of the form name@domain.",
        RowCode.INVALID_YEAR: "The year of study is not a whole number from 1 to 12.",
        RowCode.INVALID_ELIGIBILITY: "The eligibility is not yes/no, true/false, y/n, t/f or 1/0.",
        RowCode.CONFLICTING_ROWS: "Rows of the file give one student id different values.",
        RowCode.ID_PRECISION_LOST: (
            "The student id is an Excel number of 16 digits or more. Excel has lost its"
            " last digits."
        ),
        RowCode.ID_SCIENTIFIC: (
            "The student id is a number in scientific notation. Its digits are lost."
        ),
        RowCode.DATE_NOT_TEXT: "Excel has turned the student id into a date.",
        RowCode.FORMULA_NO_VALUE: "The cell has a formula that was saved without its result.",
        RowCode.EXCEL_ERROR: "The cell has an Excel error such as #N/A or #REF!.",
        RowCode.CONTROL_CHARACTER: "The cell has an invisible control character.",
        RowCode.STRAY_QUOTE: (
            "The student id has a quotation mark or begins with an apostrophe. No id does."
        ),
        RowCode.FIELD_TOO_LONG: "The value is longer than the roll allows.",
        RowCode.COLUMN_COUNT: "The row has more or fewer cells than the header.",
        WarningCode.REPEATED_ROW: "The same row is in the file more than once. It is one voter.",
        WarningCode.SHARED_EMAIL: "Different student ids of the file have one email address.",
        WarningCode.REPEATED_HEADER: "The header is in the file again. That row was skipped.",
        WarningCode.NOT_CREATED: "The student is not on the roll, and the mode was update_only.",
        WarningCode.NOT_UPDATED: "The roll has other values, and the mode was create_only.",
        WarningCode.ENCODING_ASSUMED: "The text is not UTF-8 and was read as Windows-1252.",
        SignCode.ID_LENGTHS: "A few student ids are shorter or longer than all the others.",
        SignCode.MOSTLY_INELIGIBLE: "More than nine in ten voters of the file are not eligible.",
        SignCode.ONE_DEPARTMENT: "All voters of the file are of one department.",
        SignCode.SMALL_ROLL: "The file has fewer than half as many voters as the roll.",
        FileCode.EMPTY_FILE: "The file has no content.",
        FileCode.NO_ROWS: "The file has a header and no rows below it.",
        FileCode.MISSING_COLUMNS: "No row among the first 20 names the required columns.",
        FileCode.AMBIGUOUS_COLUMNS: "Two columns of the file mean the same field.",
        FileCode.SHEET_NOT_FOUND: "The workbook has no sheet of the requested name.",
        FileCode.UNSUPPORTED_FORMAT: "The file is not CSV and not a workbook of a known kind.",
        FileCode.UNREADABLE_FILE: "The file is damaged, or not what its first bytes announce.",
        FileCode.ENCODING_ERROR: "The bytes of the file are not text in its encoding.",
        FileCode.UNCLOSED_QUOTE: "A quotation mark opens a cell and does not close it.",
        FileCode.LINE_TOO_LONG: "A line of the file is longer than any line of a roll.",
        FileCode.PASSWORD_PROTECTED: "The workbook is encrypted with a password.",
        FileCode.WORKBOOK_TOO_LARGE: "The workbook takes more memory than there is for one file.",
        FileCode.TOO_MANY_ROWS: "The file has more rows than MAX_ROWS, or millions of blank ones.",
        FileCode.TOO_MANY_COLUMNS: "The header has more columns than any roll.",
    }
)


@dataclass(frozen=True, slots=True)
class RowError:
    """A row fault: what is wrong, where it is, and how to fix it.

    `line` is the physical line or the row of the sheet. `column` is the label in the file, or "" if
    the fault is about the whole row. `value` is printable and has at most 200 characters. `message`
    is one sentence.
    """

    line: int
    column: str
    code: RowCode
    value: str
    message: str


class FileFault(CodedError[FileCode]):
    """The file cannot be read as a roll. `message` says what an election officer can do."""


class BadCell(CodedError[RowCode]):
    """The content of the cell does not fit its field. The validator turns it into a `RowError`."""


class TextTooLong(VoterSystemError):
    """The text has more characters than its field allows."""

    def __init__(self, chars: int) -> None:
        super().__init__(chars)
        self.chars = chars

    def __str__(self) -> str:
        return f"{self.chars} characters"
