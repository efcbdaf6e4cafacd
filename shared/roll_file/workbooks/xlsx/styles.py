"""Which cell formats of a workbook make a number a date, and in which the two readers differ."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.parsers import expat

from openpyxl.styles.numbers import BUILTIN_FORMATS, STRIP_RE, is_date_format, is_timedelta_format

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.workbooks.faults import too_large

# Excel's own limit. openpyxl's patterns take the square of a format's length.
MAX_FORMAT_CHARS = 255
# Excel allows 250 of them. openpyxl looks at so many hostile ones for a second.
MAX_NUMBER_FORMATS = 5_000
# Dates of East Asian calendars (ECMA-376 part 1, 18.8.30), numbers to openpyxl.
_OTHER_DATES = frozenset({*range(27, 37), *range(50, 59)})
_ESCAPED = re.compile(r"[_\\*].")
_AMBIGUOUS = re.compile(r"A/P|\\\"|\[[HMS]{1,2}\]", re.IGNORECASE)
_DATE_LETTER = re.compile("[dmhys]", re.IGNORECASE)


@dataclass(slots=True)
class CellFormats:
    """Indexes of cell formats, as a cell's `s` attribute gives them.

    In a format of `dates` openpyxl makes a number a date, and one of `durations` among them makes
    it a length of time. `doubtful` ones are read differently by openpyxl and calamine.
    """

    dates: frozenset[int] = frozenset()
    durations: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()


class StylesLook:
    """The cell formats of `xl/styles.xml`, collected while `parser` goes through it.

    The parser raises `FileFault` for a format that is too long, and ValueError.
    """

    def __init__(self) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self._codes: dict[int, str] = {}
        self._cell_formats: list[int] = []
        self._list = ""
        self._list_count = 0
        self._redefined: set[int] = set()

    def formats(self) -> CellFormats:
        """What has been found. Each number format is looked at once, however many cell formats use
        it."""
        codes = {number: self._code(number) for number in set(self._cell_formats)}
        odd = set(codes) if self._list_count > 1 else self._redefined | _OTHER_DATES
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
        chosen = set(numbers)
        return frozenset(
            index for index, number in enumerate(self._cell_formats) if number in chosen
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
        """Only a format of the list is one of cells. Those of conditional formats are not."""
        if len(code) > MAX_FORMAT_CHARS:
            raise FileFault(
                FileCode.UNREADABLE_FILE,
                f"The workbook has a number format of {len(code):,} characters. Excel allows"
                f" {MAX_FORMAT_CHARS}. Please open it in Excel, save it again as .xlsx and upload"
                " that.",
            )
        if self._codes.get(number, BUILTIN_FORMATS.get(number, code)) != code:
            self._redefined.add(number)
        if self._list == "numFmts":
            self._codes[number] = code
        if len(self._codes) > MAX_NUMBER_FORMATS:
            raise too_large("The workbook holds too many number formats.")

    def _end(self, name: str) -> None:
        if name.rpartition(":")[2] == self._list:
            self._list = ""


def _is_doubtful(code: str) -> bool:
    """Whether a letter of dates stands where a reader may or may not look for it."""
    letters = _DATE_LETTER.search(_ESCAPED.sub("", STRIP_RE.sub("", code)))
    is_clear = (letters is not None) == is_date_format(code)
    return not is_clear or _AMBIGUOUS.search(code) is not None
