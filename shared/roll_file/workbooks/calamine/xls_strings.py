"""Measure the shared strings of an .xls workbook without reading them ([MS-XLS] 2.4.265)."""

from array import array
from collections.abc import Iterable, Sequence

_WIDE, _EXTENDED, _RICH = 0x01, 0x04, 0x08


def string_lengths(contents: Iterable[memoryview]) -> Sequence[int]:
    """Return the number of characters of each string.

    `contents` are those of the table's record and of the records that continue it. If the table
    ends early, the result has the strings up to there.
    """
    table = _Table(contents)
    lengths = array("L")
    try:
        (count,) = table.numbers(4, 4)[1:]
        for _ in range(count):
            lengths.append(table.pass_string())
    except EOFError:
        pass
    return lengths


class _Table:
    """The position of the next string in a table that is cut into records."""

    def __init__(self, contents: Iterable[memoryview]) -> None:
        self._contents = iter(contents)
        self._content = memoryview(b"")
        self._at = 0

    def pass_string(self) -> int:
        """Skip one string and return its number of characters.

        [MS-XLS] 2.5.293 XLUnicodeRichExtendedString.
        """
        length, flags = self.numbers(2, 1)
        (runs,) = self.numbers(2) if flags & _RICH else (0,)
        (more_bytes,) = self.numbers(4) if flags & _EXTENDED else (0,)
        self._pass_characters(length, 1 + (flags & _WIDE))
        self._pass_bytes(4 * runs + more_bytes)
        return length

    def numbers(self, *sizes: int) -> list[int]:
        """Read whole numbers of these sizes in bytes. No record boundary cuts them apart."""
        if self._at == len(self._content):
            self._go_on()
        numbers = []
        for size in sizes:
            numbers.append(int.from_bytes(self._content[self._at : self._at + size], "little"))
            self._at += size
        if self._at > len(self._content):
            raise EOFError
        return numbers

    def _go_on(self) -> None:
        content = next(self._contents, None)
        if content is None:
            raise EOFError
        self._content = content
        self._at = 0

    def _pass_characters(self, count: int, width: int) -> None:
        """Skip characters. A record that continues a text begins with their width."""
        while count:
            step = min(count, (len(self._content) - self._at) // width)
            self._at += step * width
            count -= step
            if count:
                self._go_on()
                (flags,) = self.numbers(1)
                width = 1 + (flags & _WIDE)

    def _pass_bytes(self, count: int) -> None:
        while count:
            step = min(count, len(self._content) - self._at)
            self._at += step
            count -= step
            if count:
                self._go_on()
