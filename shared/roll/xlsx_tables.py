"""The two tables that the cells of a workbook refer to: shared strings and styles.

Both are read with expat's events and keep nothing but what cells need. openpyxl's own reading of
styles stops at an empty `<fill/>`, which some registrars' systems write, and its reading of
strings takes `_x000D_` for text (ECMA-376 part 1, 22.9.2.19).
"""

import re
from collections.abc import Callable
from typing import IO, NoReturn
from xml.parsers import expat

from openpyxl.styles.numbers import builtin_format_code, is_date_format

from shared.roll.errors import FileCode, FileFault
from shared.roll.limits import KIB

CHUNK_BYTES = 64 * KIB
_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")

Attributes = dict[str, str]


def unescape(text: str) -> str:
    """The text with `_xHHHH_` resolved; `_x005F_` is the underscore that protects such a text."""
    if "_x" not in text:
        return text
    plain = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), text)
    # Two escapes may be the halves of one character.
    return plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def read_strings(part: IO[bytes], max_chars: int) -> list[str]:
    """The shared strings in their order, without formatting and phonetic hints.

    Memory is that of the strings. Raises WORKBOOK_TOO_LARGE for one longer than `max_chars`.
    """
    table = _StringTable(max_chars)
    parse(part, table.start, table.end, table.characters)
    return table.strings


class _StringTable:
    def __init__(self, max_chars: int) -> None:
        self.strings: list[str] = []
        self._max_chars = max_chars
        self._text = ""
        self._is_phonetic = self._collects = False

    def start(self, name: str, attributes: Attributes) -> None:
        tag = name[name.rfind(":") + 1 :]
        if tag == "t":
            self._collects = not self._is_phonetic
        elif tag == "si":
            self._text = ""
        elif tag == "rPh":
            self._is_phonetic = True

    def end(self, name: str) -> None:
        tag = name[name.rfind(":") + 1 :]
        if tag == "t":
            self._collects = False
        elif tag == "si":
            self.strings.append(unescape(self._text))
        elif tag == "rPh":
            self._is_phonetic = False

    def characters(self, data: str) -> None:
        if self._collects:
            self._text += data
            if len(self._text) > self._max_chars:
                raise cell_too_long()


def read_date_styles(part: IO[bytes]) -> set[int]:
    """The indexes of the cell styles that show a number as a date or a time."""
    codes: dict[str, str] = {}
    formats: list[str] = []
    is_cell_style = False

    def start(name: str, attributes: Attributes) -> None:
        nonlocal is_cell_style
        tag = name[name.rfind(":") + 1 :]
        if tag == "numFmt":
            # Conditional formats repeat the element further down.
            codes.setdefault(attributes.get("numFmtId", ""), attributes.get("formatCode", ""))
        elif tag == "cellXfs":
            is_cell_style = True
        elif tag == "xf" and is_cell_style:
            formats.append(attributes.get("numFmtId", "0"))

    def end(name: str) -> None:
        nonlocal is_cell_style
        if name[name.rfind(":") + 1 :] == "cellXfs":
            is_cell_style = False

    parse(part, start, end, None)
    dates = {
        key
        for key in set(formats)
        if is_date_format(codes.get(key) or builtin_format_code(int(key)))
    }
    return {index for index, key in enumerate(formats) if key in dates}


def parse(
    part: IO[bytes],
    start: Callable[[str, Attributes], None],
    end: Callable[[str], None],
    characters: Callable[[str], None] | None,
) -> None:
    """Send the events of the whole part to the handlers."""
    parser = make_parser()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    while data := part.read(CHUNK_BYTES):
        parser.Parse(data, False)
    parser.Parse(b"", True)


def make_parser() -> expat.XMLParserType:
    """An expat parser that refuses any DTD; names keep their prefix.

    Office never writes a DTD; what has one is made to do harm (billion laughs). Resolving
    namespaces would make the reading of cells a third slower.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = CHUNK_BYTES
    parser.StartDoctypeDeclHandler = refuse_doctype
    return parser


def refuse_doctype(*_: object) -> NoReturn:
    """Raise the fault of a part with a DTD."""
    raise FileFault(
        FileCode.UNREADABLE_FILE,
        "The workbook holds declarations that Excel never writes. Please open it in Excel, save"
        " it again as .xlsx and upload that.",
    )


def cell_too_long() -> FileFault:
    """The fault of a text longer than any cell that Excel writes."""
    return FileFault(
        FileCode.WORKBOOK_TOO_LARGE,
        "A cell of the workbook holds more text than Excel allows. Please save the sheet with"
        " the roll as CSV and upload that.",
    )
