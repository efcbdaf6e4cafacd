"""Read the rows of a CSV file with any encoding, delimiter and line ends."""

import csv
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain, dropwhile, islice
from typing import BinaryIO

from shared.roll_file.csv_files.encoding import FALLBACK, check_lines, settle_encoding
from shared.roll_file.csv_files.lines import Lines
from shared.roll_file.csv_files.quotes import (
    has_swallowed,
    may_have_swallowed,
    split_alone,
    unclosed_quote,
)
from shared.roll_file.csv_files.splitting import split_lines
from shared.roll_file.errors import FileCode, FileFault, WarningCode
from shared.roll_file.formats import Format
from shared.roll_file.limits import Limits, ReadOptions
from shared.roll_file.rows.columns import HEADER_SEARCH_ROWS, MAX_COLUMNS, Header, find_header
from shared.roll_file.rows.row import RollReader, Row, data_rows, split_header

DELIMITERS = (",", ";", "\t", "|")
_SEP_LINE = re.compile(r'\ufeff?"?sep=([^"\r\n])"?[,;\t|]*\r?\n?', re.IGNORECASE)

Records = Callable[[str], Iterator[Row]]


def open_csv(stream: BinaryIO, options: ReadOptions, limits: Limits) -> RollReader:
    """Find the encoding, the delimiter and the header. The rows are then ready to be read.

    Reads the whole stream before the first row, in constant memory. Raises `FileFault`.
    """
    size_bytes = stream.seek(0, 2)
    encoding = settle_encoding(stream, options.encoding)
    check_lines(stream, encoding, limits.max_line_bytes)
    records = partial(_records, stream, encoding, limits=limits)
    delimiter = options.delimiter
    if delimiter is None:
        delimiter = _find_delimiter(stream, encoding, records)
    _check_delimiter(delimiter)
    header, header_cells = split_header(records(delimiter))
    header = replace(header, unnamed=_count_unnamed(header, len(header_cells)))
    rows = dropwhile(lambda row: row[0] <= header.line, records(delimiter, header))
    warnings: Counter[WarningCode] = Counter()
    assumptions = []
    if encoding == FALLBACK and options.encoding is None:
        warnings[WarningCode.ENCODING_ASSUMED] = 1
        assumptions.append(
            "The file is not UTF-8, and the service read it as Windows-1252. Look at names"
            " with accents."
        )
    return RollReader(
        format=Format.CSV,
        header=header,
        rows=data_rows(rows, header_cells, warnings, limits),
        fraction=lambda: min(stream.tell() / size_bytes, 1.0),
        close=lambda: None,
        encoding=encoding,
        delimiter=delimiter,
        warnings=warnings,
        assumptions=assumptions,
    )


def _find_delimiter(stream: BinaryIO, encoding: str, records: Records) -> str:
    """Return the delimiter of a `sep=` line, or else the one with the most recognized columns.

    If no delimiter gives the required columns, raises the fault of the header.
    """
    match = _SEP_LINE.fullmatch(next(iter(Lines(stream, encoding)), ""))
    if match:
        return match.group(1)
    column_counts: dict[str, int] = {}
    faults: dict[str, FileFault] = {}
    for delimiter in DELIMITERS:
        try:
            column_counts[delimiter] = len(find_header(records(delimiter)).columns)
        except FileFault as fault:
            faults[delimiter] = fault
    if column_counts:
        return max(column_counts, key=lambda delimiter: column_counts[delimiter])
    clear_faults = [
        fault for fault in faults.values() if fault.code is not FileCode.MISSING_COLUMNS
    ]
    if clear_faults:
        raise clear_faults[0]
    raise faults[max(DELIMITERS, key=lambda delimiter: _widest(records(delimiter)))]


def _count_unnamed(header: Header, cells: int) -> int:
    """Count the columns without a name to the right of the others.

    Returns 0 for a rejects file. There, cells to the right are those of rows with too many cells.
    """
    labels = header.labels
    return 0 if labels[-1].startswith("_") else min(cells, MAX_COLUMNS) - len(labels)


def _widest(records: Iterable[Row]) -> int:
    return max((len(cells) for _, cells in islice(records, HEADER_SEARCH_ROWS)), default=0)


def _check_delimiter(delimiter: str) -> None:
    if len(delimiter) != 1 or delimiter in '"\r\n\x00':
        raise FileFault(
            FileCode.MISSING_COLUMNS,
            "The delimiter must be one character, such as a comma, a semicolon or a tab.",
        )


def _records(
    stream: BinaryIO,
    encoding: str,
    delimiter: str,
    header: Header | None = None,
    *,
    limits: Limits,
) -> Iterator[Row]:
    """Yield each record with the physical line where it starts. `header` is None until it is known.

    The next correctly quoted cell closes a mark that opens a cell by mistake. Text then follows the
    closing mark. In strict mode, the csv module raises an error for such a line, which is then
    split alone.
    """
    lines = Lines(stream, encoding)
    reader = split_lines(_without_statement(lines), delimiter, strict=True)
    line = 1
    while True:
        try:
            for cells in reader:
                last = reader.line_num
                if last != line:
                    cells = _check(cells, line, last, delimiter, header, limits)
                yield line, cells
                line = last + 1
        except csv.Error as error:
            last = reader.line_num
            alone = split_alone(lines.at(last), delimiter) if last == line else None
            if alone is None:
                raise unclosed_quote(line) from error
            yield line, alone
            line = last + 1
        else:
            return


def _without_statement(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines, with a blank line in place of one that states the delimiter."""
    rest = iter(lines)
    first = next(rest, "")
    return chain(("\n" if _SEP_LINE.fullmatch(first) else first,), rest)


def _check(
    cells: list[str],
    first: int,
    last: int,
    delimiter: str,
    header: Header | None,
    limits: Limits,
) -> list[str]:
    """Return the cells of a record of several lines, or one cell if they may contain rows.

    Raises UNCLOSED_QUOTE if the record surely contains rows.
    """
    if last - first >= limits.max_record_lines:
        raise unclosed_quote(first)
    if header is None:
        return cells
    # A label has no "@", but rows that a mark in the header has swallowed do.
    is_label = first == header.line
    if has_swallowed(cells, delimiter, header) or (is_label and any("@" in c for c in cells)):
        raise unclosed_quote(first)
    return [delimiter.join(cells)] if may_have_swallowed(cells, delimiter, header) else cells
