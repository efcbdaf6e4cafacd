"""The physical lines of a text file, and the one that was read last."""

from collections.abc import Iterator
from io import BufferedReader, RawIOBase, TextIOWrapper
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO

from shared.roll_file.csv_files.encoding import CHUNK_BYTES, decoder_name

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class Lines:
    """Iterates over the lines of the stream from its start, each with its line end, once.

    Lines are read in blocks, so that looking back at the last one costs nothing before it is done.
    Left out are the BOM of a file that was joined to another one, and DOS's sign of the end of a
    file (U+001A) in a line of its own.
    """

    def __init__(self, stream: BinaryIO, encoding: str) -> None:
        stream.seek(0)
        buffer = BufferedReader(_Borrowed(stream), CHUNK_BYTES)
        self._text = TextIOWrapper(buffer, decoder_name(encoding), newline="")
        self._block: list[str] = []
        self._before = 0
        self._lines = chain.from_iterable(self._blocks())

    def __iter__(self) -> Iterator[str]:
        return self._lines

    def at(self, number: int) -> str:
        """The line of this number, counted from 1, which must be the last one that was read."""
        return self._block[number - self._before - 1]

    def _blocks(self) -> Iterator[list[str]]:
        while block := self._text.readlines(CHUNK_BYTES):
            self._before += len(self._block)
            if "\ufeff" in "".join(block):
                block = [line.removeprefix("\ufeff") for line in block]
            # Only the last line of a file lacks a line end.
            if block[-1] == "\x1a":
                block.pop()
            self._block = block
            yield block


class _Borrowed(RawIOBase):
    """A stream that is not closed with the text wrapper around it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer)
        data = self._stream.read(len(view))
        view[: len(data)] = data
        return len(data)
