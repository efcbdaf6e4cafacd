"""Read the physical lines of a text file and keep the last one available."""

from collections.abc import Iterator
from io import BufferedReader, RawIOBase, TextIOWrapper
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from shared.roll_file.csv_files.encoding import CHUNK_BYTES, decoder_name

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Lines:
    """Iterate once over the lines of the stream from its start, each with its line end.

    Lines are read in blocks, so `at` can return the last line at no cost for the other lines. Two
    things are left out: a BOM at the start of a line (from joined files), and the DOS end-of-file
    character (U+001A) on a line of its own.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        stream.seek(0)
        buffer = BufferedReader(_OpenStream(stream), CHUNK_BYTES)
        self._text = TextIOWrapper(buffer, decoder_name(encoding), newline="")
        self._block: list[str] = []
        self._before = 0
        self._lines = chain.from_iterable(self._blocks())

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def at(self, number: int) -> str:
        """Return the line with this number, counted from 1. It must be the last line read."""
        return self._block[number - self._before - 1]

    def _blocks(self) -> Iterator[list[str]]:
        while block := self._text.readlines(CHUNK_BYTES):
            self._before += len(self._block)
            if "\ufeff" in "".join(block):
                block = [line.removeprefix("\ufeff") for line in block]
            # Only the last line of a file can have no line end.
            if block[-1] == "\x1a":
                block.pop()
            self._block = block
            yield block


class _OpenStream(RawIOBase):
    """A stream that stays open when its text wrapper is closed."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)
