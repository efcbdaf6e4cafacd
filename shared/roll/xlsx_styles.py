"""Which cell formats of a workbook make a number a date, and in which the two readers differ."""

import re
from dataclasses import dataclass, field
from typing import IO
from xml.parsers import expat

from openpyxl.styles.numbers import BUILTIN_FORMATS, STRIP_RE, is_date_format

# Dates of East Asian calendars (ECMA-376 part 1, 18.8.30), numbers to openpyxl.
_OTHER_DATES = frozenset({*range(27, 37), *range(50, 59)})
_ESCAPED = re.compile(r"[_\\*].")
_AMBIGUOUS = re.compile(r"A/P|\\\"|\[[HMS]{1,2}\]", re.IGNORECASE)
_DATE_LETTER = re.compile("[dmhys]", re.IGNORECASE)


@dataclass(slots=True)
class CellFormats:
    """Indexes of cell formats, as a cell's `s` attribute gives them.

    In a format of `dates` a number becomes a date; `doubtful` ones are read differently by
    openpyxl and calamine.
    """

    dates: list[int] = field(default_factory=list)
    doubtful: list[int] = field(default_factory=list)


def read_formats(part: IO[bytes]) -> CellFormats:
    """The cell formats of `xl/styles.xml`. Raises what expat raises for damage, and ValueError."""
    styles = _Styles()
    parser = expat.ParserCreate()
    parser.StartElementHandler = styles.start
    parser.EndElementHandler = styles.end
    parser.ParseFile(part)
    formats = CellFormats()
    kinds = {number: styles.kind(number) for number in set(styles.cell_formats)}
    for index, number in enumerate(styles.cell_formats):
        if kinds[number] is None:
            formats.doubtful.append(index)
        elif kinds[number]:
            formats.dates.append(index)
    return formats


class _Styles:
    """The number formats by their number, and the number that each cell format uses."""

    def __init__(self) -> None:
        self.codes = dict(BUILTIN_FORMATS)
        self.cell_formats: list[int] = []
        self._is_inside = False
        self._list_count = 0
        self._redefined: set[int] = set()

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "numFmt":
                self._define(int(attributes.get("numFmtId", 0)), attributes.get("formatCode", ""))
            case "cellXfs":
                self._is_inside = True
                self._list_count += 1
            case "xf" if self._is_inside:
                self.cell_formats.append(int(attributes.get("numFmtId", 0)))

    def _define(self, number: int, code: str) -> None:
        if self.codes.setdefault(number, code) != code:
            self._redefined.add(number)

    def kind(self, number: int) -> bool | None:
        """Whether the format makes a number a date; None for a doubtful one."""
        code = self.codes.get(number, "General")
        is_doubtful = (
            number in _OTHER_DATES
            or number in self._redefined
            or self._list_count > 1
            or _is_doubtful(code)
        )
        return None if is_doubtful else is_date_format(code)

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "cellXfs":
            self._is_inside = False


def _is_doubtful(code: str) -> bool:
    """Whether a letter of dates stands where a reader may or may not look for it."""
    letters = _DATE_LETTER.search(_ESCAPED.sub("", STRIP_RE.sub("", code)))
    is_clear = (letters is not None) == is_date_format(code)
    return not is_clear or _AMBIGUOUS.search(code) is not None
