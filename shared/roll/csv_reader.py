"""Rows of a CSV file, whatever its encoding, delimiter and line ends."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BufferedReader, RawIOBase, TextIOWrapper
from itertools import chain, islice
from secrets import token_hex
from typing import TYPE_CHECKING, BinaryIO

from shared.roll.columns import HEADER_SEARCH_ROWS, find_header
from shared.roll.decoding import CHUNK_BYTES, FALLBACK, check_lines, decoder_name, settle_encoding
from shared.roll.errors import FileCode, FileFault, WarningCode
from shared.roll.limits import Limits, ReadOptions
from shared.roll.rows import RollReader, Row, data_rows, split_header
from shared.roll.sniffing import Format

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'\ufeff?"?sep=([^"\r\n])"?[,;\t|]*\r?\n?', re.IGNORECASE)
_LINE_BREAK = re.compile(r"[\r\n]")

Records = Callable[[str], Iterator[Row]]


def open_csv(stream: BinaryIO, options: ReadOptions, limits: Limits) -> RollReader:
    """Settle encoding and delimiter, find the header, leave the rows to be read.

    The whole stream is looked through once, in constant memory, before the first row. Raises
    `FileFault`.
    """
    size_bytes = stream.seek(0, 2)
    encoding = settle_encoding(stream, options.encoding)
    check_lines(stream, encoding, limits.max_line_bytes)
    records = partial(_records, stream, encoding, limits=limits)
    delimiter = options.delimiter
    if delimiter is None:
        delimiter = _find_delimiter(stream, encoding, records)
    _check_delimiter(delimiter)
    rows = records(delimiter)
    header, header_cells = split_header(rows)
    warnings: Counter[WarningCode] = Counter()
    assumptions = []
    if encoding == FALLBACK and options.encoding is None:
        warnings[WarningCode.ENCODING_ASSUMED] = 1
        assumptions.append(
            "The file is not UTF-8, so it was read as Windows-1252; look at names with accents."
        )
    return RollReader(
        format=Format.CSV,
        header=header,
        rows=data_rows(rows, header_cells, warnings, limits.max_rows),
        fraction=lambda: min(stream.tell() / size_bytes, 1.0),
        close=lambda: None,
        encoding=encoding,
        delimiter=delimiter,
        warnings=warnings,
        assumptions=assumptions,
    )


def _find_delimiter(stream: BinaryIO, encoding: str, records: Records) -> str:
    """What a `sep=` line says, else the delimiter with which most columns are recognised.

    Raises what is wrong with the header if no delimiter yields the required columns.
    """
    stated = _SEP_LINE.fullmatch(next(_lines(stream, encoding), ""))
    if stated:
        return stated.group(1)
    found: dict[str, int] = {}
    faults: dict[str, FileFault] = {}
    for delimiter in DELIMITERS:
        try:
            found[delimiter] = len(find_header(records(delimiter)).columns)
        except FileFault as fault:
            faults[delimiter] = fault
    if found:
        return max(found, key=lambda delimiter: found[delimiter])
    telling = [fault for fault in faults.values() if fault.code is not FileCode.MISSING_COLUMNS]
    if telling:
        raise telling[0]
    raise faults[max(DELIMITERS, key=lambda delimiter: _widest(records(delimiter)))]


def _widest(records: Iterable[Row]) -> int:
    return max((len(cells) for _, cells in islice(records, HEADER_SEARCH_ROWS)), default=0)


def _check_delimiter(delimiter: str) -> None:
    if len(delimiter) != 1 or delimiter in '"\r\n\x00':
        raise FileFault(
            FileCode.MISSING_COLUMNS,
            "The delimiter must be one character, such as a comma, a semicolon or a tab.",
        )


def _records(stream: BinaryIO, encoding: str, delimiter: str, *, limits: Limits) -> Iterator[Row]:
    """Each record with the physical line on which it starts.

    A line of our own stands after the file's last: if a record swallows it, a quote is open.
    """
    csv.field_size_limit(limits.max_field_chars)
    end = token_hex(16)
    lines = _lines(stream, encoding)
    first = next(lines, end)
    skipped = 1 if _SEP_LINE.fullmatch(first) else 0
    fed = chain(() if skipped else (first,), lines, (end,))
    reader = csv.reader(fed, delimiter=delimiter, skipinitialspace=True)
    start = skipped + 1
    try:
        for cells in reader:
            after = skipped + reader.line_num + 1
            if after - start > 1:
                _check_span(cells, end, start, after - start, delimiter, limits)
            elif cells == [end]:
                return
            yield start, cells
            start = after
    except csv.Error as error:
        raise _unclosed_quote(start) from error


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


def _lines(stream: BinaryIO, encoding: str) -> Iterator[str]:
    """The physical lines of the stream from its start, each with its line end."""
    stream.seek(0)
    buffer = BufferedReader(_Borrowed(stream), CHUNK_BYTES)
    return TextIOWrapper(buffer, decoder_name(encoding), newline="")


def _check_span(
    cells: list[str], end: str, start: int, lines: int, delimiter: str, limits: Limits
) -> None:
    """Tell a cell with line breaks from rows that a stray quote has swallowed.

    Swallowed rows bring their delimiters along: inside and outside of quotes there are as many as
    in that many separate rows, and the cell that swallowed them starts with the rest of its row.
    A postal address can have as many commas by chance. But rows bring an e-mail address along as
    well, or the cell ends in the middle of a quoted one, whose second mark is then still there.
    """
    if end in cells[-1] or lines > limits.max_record_lines:
        raise _unclosed_quote(start)
    for index, cell in enumerate(cells):
        first, *rest = _LINE_BREAK.split(cell, 1)
        inside = cell.count(delimiter)
        row = first.count(delimiter) + index
        if (rest and inside and row > 1 and len(cells) - 1 + inside == lines * row) and (
            "@" in cell or any('"' in other for other in cells[index:])
        ):
            raise _unclosed_quote(start)


def _unclosed_quote(line: int) -> FileFault:
    return FileFault(
        FileCode.UNCLOSED_QUOTE,
        f'A quotation mark (") in line {line:,} opens a cell that does not end where its row'
        " ends, so the rows below cannot be told apart. Please close or delete the mark.",
    )
