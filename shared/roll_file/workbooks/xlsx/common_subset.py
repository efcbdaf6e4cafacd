"""The subset of XML that openpyxl and calamine are known to read in the same way.

A part is plain if every byte of it has the form below, which Excel, LibreOffice and openpyxl write
(ECMA-376 part 1, 18.3 and 18.4). The two libraries may read anything else differently, so openpyxl
reads it.
"""

import re
from collections.abc import Iterable
from xml.parsers import expat

from shared.roll_file.limits import MIB
from shared.roll_file.workbooks.xlsx.styles import CellFormats

# The longest row, string, or head of a part that is buffered.
MAX_ITEM_BYTES = MIB
# Every row is searched for all of these alternatives, so their number is limited.
MAX_FORMATS = 1000

# No pattern can match the same bytes in two ways, so each takes linear time. None is possessive or
# atomic, because CPython before 3.11.5 matches nested patterns of that kind wrongly (gh-106052).
_HEAD = (
    rb"(?:\xef\xbb\xbf)?"
    rb"(?:<\?xml version=[\"']1\.0[\"'](?: encoding=[\"'](?:utf-8|UTF-8)[\"'])?"
    rb"(?: standalone=[\"']\w+[\"'])?\s*\?>\s*)?"
    rb"<%b(?:\s+(?!xmlns=)[\w:]+=(?:\"[^\"<>]*\"|'[^'<>]*'))*\s+"
    rb"xmlns=\"http://schemas\.openxmlformats\.org/spreadsheetml/2006/main\"[^<>]*>"
)
# Tags that neither belong to the rows nor can hide them.
_OTHER_TAGS = rb"\s*(?:<(?!(?:row|c|v|is|r|t|sheetData)[\s/>]|!)[^<]*)*"
# An alternative to nothing, `(?:x|)`, means the same as `(?:x)?` and is matched faster.
# Only what both resolve alike: no carriage return, and no numeric character reference.
_CHARACTERS = (
    rb"[^<&\x00-\x08\x0b-\x1f]*"
    rb"(?:(?=<)|(?:&(?:amp|lt|gt|quot|apos);[^<&\x00-\x08\x0b-\x1f]*)+)"
)
# White space without xml:space="preserve" is not text of a plain part.
_TRIMMED = rb"(?!\s)" + _CHARACTERS + rb"(?<!\s)"
_TEXT = rb"<t(?:>" + _TRIMMED + rb'| xml:space="preserve">' + _CHARACTERS + rb")</t>"
# A double keeps fifteen digits.
_NUMBER = rb"<v>-?\d{1,15}(?:\.\d{1,20}|)(?:[eE][+-]?\d{1,2}|)</v>"
# Columns A to Z. The cell must have the number of its row.
_CELL = (
    rb'<c r="[A-Z]\1"(?: s="\d{1,5}"|)(?:>(?:' + _NUMBER + rb"|)</c>"
    rb'| t="(?:s"><v>\d{1,9}</v></c>'
    rb'|inlineStr"><is>' + _TEXT + rb"</is></c>"
    rb'|n">' + _NUMBER + rb"</c>"
    rb'|b"><v>[01]</v></c>'
    rb'|str"><v>' + _TRIMMED + rb"</v></c>"
    rb'|(?:n|inlineStr)" ?/>)| ?/>)'
)
_ROW = (
    rb'<row r="(\d{1,7})"(?:(?=>)|(?: [\w:]+="[^"<>&]*")*)(?:>(?:' + _CELL + rb")*</row>| ?/>)\s*"
)
_STRING = rb"<si>" + _TEXT + rb"(?:<phoneticPr [^<>]*/>)?</si>\s*"
# Escapes that only one of the two resolves correctly, and text that only expat rejects.
_ODD_TEXTS = {
    b"_x": re.compile(rb"_x(?:005[Ff]|(?!00)[0-9A-Fa-f]{4})"),
    b"]]>": re.compile(rb"]]>"),
    b"\xef\xbf": re.compile(rb"\xef\xbf[\xbe\xbf]"),
}


class PlainPart:
    """Decide whether a part is plain, while its tags are read in order.

    expat parses what is around the items (rows or strings). The items have a form that needs no
    parser. `buffer` has the bytes that wait for the end of an item.
    """

    head: re.Pattern[bytes]
    empty: re.Pattern[bytes]
    start: bytes
    item: re.Pattern[bytes]
    end: bytes
    tail: re.Pattern[bytes]

    def __init__(self) -> None:
        self.is_plain = True
        self.buffer = b""
        self._see = self._see_head
        self._parser = expat.ParserCreate()

    def see(self, tags: bytes) -> bool:
        """Read the next tags of the part, with the texts between them.

        Returns whether the part is still plain. Raises what expat raises for damage.
        """
        self._see(self.buffer + tags)
        if len(self.buffer) > MAX_ITEM_BYTES:
            self.is_plain = False
        return self.is_plain

    def finish(self, last_tag: bytes) -> None:
        """Read the last tag of the part, which closes it."""
        if self._see == self._see_head:
            self._require(self.empty, self.buffer)
            self._parser.Parse(self.buffer, False)
        elif self._see == self._see_items:
            self._take(self.buffer)
        if self.is_plain:
            self._parser.Parse(last_tag, True)

    def _see_head(self, data: bytes) -> None:
        at = data.find(self.start)
        if at < 0:
            self.buffer = data
            return
        self._require(self.head, data[:at])
        self._parser.Parse(data[:at], False)
        self._see = self._see_items
        self._see_items(data[at:])

    def _see_items(self, data: bytes) -> None:
        items, end, rest = data.partition(self.end)
        if end:
            self._take(items)
            self._parser.Parse(end, False)
            self._see = self._see_tail
            self._see_tail(rest)
        else:
            at = data.rfind(self.start)
            self._take(data[:at])
            self.buffer = data[at:]

    def _see_tail(self, data: bytes) -> None:
        self.buffer = b""
        self._require(self.tail, data)
        self._parser.Parse(data, False)

    def _take(self, items: bytes) -> None:
        is_odd = (
            self.item.sub(b"", items)
            or not _is_utf8(items)
            or any(start in items and odd.search(items) for start, odd in _ODD_TEXTS.items())
        )
        self.is_plain = self.is_plain and not is_odd

    def _require(self, shape: re.Pattern[bytes], data: bytes) -> None:
        self.is_plain = self.is_plain and shape.fullmatch(data) is not None


class PlainSheet(PlainPart):
    """A plain worksheet. `references` counts its cells that refer to a shared string."""

    head = re.compile(_HEAD % b"worksheet" + _OTHER_TAGS + rb"<sheetData>\s*")
    empty = re.compile(
        _HEAD % b"worksheet" + _OTHER_TAGS + rb"<sheetData(?: ?/>|></sheetData>)" + _OTHER_TAGS
    )
    start = b"<row "
    item = re.compile(_ROW)
    end = b"</sheetData>"
    tail = re.compile(_OTHER_TAGS)

    def __init__(self, formats: CellFormats) -> None:
        super().__init__()
        self.references = 0
        odd = {*formats.doubtful, *formats.dates}
        # In openpyxl, format 0 is the format of cells that name none.
        self.is_plain = len(odd) <= MAX_FORMATS and 0 not in odd
        self._odd = tuple(_odd_numbers(formats)) if self.is_plain else ()

    def _take(self, items: bytes) -> None:
        super()._take(items)
        self.references += items.count(b' t="s"')
        if any(pattern.search(items) for pattern in self._odd):
            self.is_plain = False


class PlainStrings(PlainPart):
    """A plain table of shared strings. `longest_bytes` is its longest string with tags."""

    head = empty = re.compile(_HEAD % b"sst" + rb"\s*")
    start = b"<si>"
    item = re.compile(_STRING)
    end = b"</sst>"
    tail = re.compile(rb"\s*")

    def __init__(self) -> None:
        super().__init__()
        self.longest_bytes = 0

    def _take(self, items: bytes) -> None:
        super()._take(items)
        self.longest_bytes = max(self.longest_bytes, *map(len, items.split(b"</si>")))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _odd_numbers(formats: CellFormats) -> Iterable[re.Pattern[bytes]]:
    """Yield patterns for dates outside Excel's range, and for any number with a doubtful format."""
    if formats.doubtful:
        yield re.compile(rb' s="(?:%b)"' % _any_of(formats.doubtful))
    if formats.dates:
        yield re.compile(rb' s="(?:%b)"[^<]*><v>(?:-|\d{7})' % _any_of(formats.dates))


def _any_of(indexes: Iterable[int]) -> bytes:
    return "|".join(map(str, indexes)).encode()
