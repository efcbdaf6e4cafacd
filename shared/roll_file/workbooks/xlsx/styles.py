"""Find the cell formats that make a number a date, and those on which the libraries differ."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.parsers import expat

from openpyxl.styles.numbers import BUILTIN_FORMATS, STRIP_RE, is_date_format, is_timedelta_format

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.workbooks.faults import too_large

# Excel's own limit. The time of openpyxl's patterns grows with the square of a format's length.
MAX_FORMAT_CHARS = 255
# Excel allows 250 of them. openpyxl needs a second for this many hostile ones.
MAX_NUMBER_FORMATS = 5_000
# Dates of East Asian calendars (ECMA-376 part 1, 18.8.30), which openpyxl reads as numbers.
_OTHER_DATES = frozenset({*range(27, 37), *range(50, 59)})
_ESCAPED = re.compile(r"[_\\*].")
_AMBIGUOUS = re.compile(r"A/P|\\\"|\[[HMS]{1,2}\]", re.IGNORECASE)
_DATE_LETTER = re.compile("[dmhys]", re.IGNORECASE)


@dataclass(slots=True)
class CellFormats:
    """Indexes of cell formats, as in the `s` attribute of a cell.

    openpyxl reads a number in a format of `dates` as a date. If the format is also in `durations`,
    it reads the number as a duration. openpyxl and calamine read `doubtful` formats differently.
    """

    dates: frozenset[int] = frozenset()
    durations: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()


class StylesLook:
    """Collect the cell formats of `xl/styles.xml` while `parser` reads it.

    The parser raises `FileFault` for a format that is too long and for too many formats. It raises
    ValueError for an id that is not a number.
    """

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._codes: dict[int, str] = {}
        self._cell_formats: list[int] = []
        self._list = ""
        self._list_count = 0
        self._redefined_numbers: set[int] = set()

    def formats(self) -> CellFormats:
        """Return what was found. Classifies each number format once for all its cell formats."""
        codes = {number: self._code(number) for number in set(self._cell_formats)}
        odd = set(codes) if self._list_count > 1 else self._redefined_numbers | _OTHER_DATES
        return CellFormats(
            dates=self._indexes(number for number in codes if is_date_format(codes[number])),
            durations=self._indexes(
                number for number in codes if is_timedelta_format(codes[number])
            ),
            doubtful=self._indexes(
                number for number in codes if number in odd or _is_doubtful(codes[number])
            ),
        )

    def _indexes(self, numbers: Iterable[int]) -> frozenset[int]:
        numbers_of_group = set(numbers)
        return frozenset(
            index for index, number in enumerate(self._cell_formats) if number in numbers_of_group
        )

    def _code(self, number: int) -> str:
        return self._codes.get(number, BUILTIN_FORMATS.get(number, "General"))

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "numFmt":
                self._define(int(attributes.get("numFmtId", 0)), attributes.get("formatCode", ""))
            case "numFmts":
                self._list = "numFmts"
            case "cellXfs":
                self._list = "cellXfs"
                self._list_count += 1
                self._cell_formats.clear()
            case "xf" if self._list == "cellXfs":
                self._cell_formats.append(int(attributes.get("numFmtId", 0)))

    def _define(self, number: int, code: str) -> None:
        """Record a number format. Those of conditional formats do not apply to cells."""
        if len(code) > MAX_FORMAT_CHARS:
            raise FileFault(
                FileCode.UNREADABLE_FILE,
                f"The workbook has a number format of {len(code):,} characters. Excel"
                f" allows {MAX_FORMAT_CHARS}. Open it in Excel, save it again as .xlsx and"
                " upload that.",
            )
        if self._codes.get(number, BUILTIN_FORMATS.get(number, code)) != code:
            self._redefined_numbers.add(number)
        if self._list == "numFmts":
            self._codes[number] = code
        if len(self._codes) > MAX_NUMBER_FORMATS:
            raise too_large("The workbook has too many number formats.")

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == self._list:
            self._list = ""


def _is_doubtful(code: str) -> bool:
    """Whether a date letter is where one library may look for it and the other may not."""
    letters = _DATE_LETTER.search(_ESCAPED.sub("", STRIP_RE.sub("", code)))
    is_clear = (letters is not None) == is_date_format(code)
    return not is_clear or _AMBIGUOUS.search(code) is not None
