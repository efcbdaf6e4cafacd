"""Rows between the file and the validator."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from types import TracebackType
from typing import Self

from shared.roll_file.errors import FileCode, FileFault, RowCode, WarningCode
from shared.roll_file.formats import Format
from shared.roll_file.limits import Limits
from shared.roll_file.rows.columns import Header, find_header


@dataclass(frozen=True, slots=True)
class NoValue:
    """A cell with content but no value: an Excel error, or a formula without its result."""

    code: RowCode
    text: str

    def __str__(self) -> str:
        return self.text


Cell = str | int | float | bool | date | datetime | time | timedelta | NoValue | None
Row = tuple[int, Sequence[Cell]]


@dataclass(slots=True)
class RollReader:
    """An open roll file: what is known about it, and its data rows as a stream to read once.

    Iteration yields (line, cells) for every row below the header, including blank rows, in constant
    memory. It raises `FileFault` for what only reading can find. `warnings` grows during iteration.
    """

    format: Format
    header: Header
    rows: Iterator[Row]
    fraction: Callable[[], float | None]
    close: Callable[[], None]
    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    warnings: Counter[WarningCode] = field(default_factory=Counter)
    assumptions: list[str] = field(default_factory=list)

    def __iter__(self) -> Iterator[Row]:
        return self.rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def data_rows(
    rows: Iterator[Row],
    header: Sequence[Cell],
    warnings: Counter[WarningCode],
    limits: Limits,
) -> Iterator[Row]:
    """Yield the rows below the header, without those that repeat it (`header`: its raw cells).

    Raises TOO_MANY_ROWS at the first row beyond `max_rows`, not counting blank rows. Also raises it
    at the first blank row beyond `max_blank_rows`.
    """
    max_rows, max_blank_rows = limits.max_rows, limits.max_blank_rows
    count = blank = 0
    for row in rows:
        cells = row[1]
        if cells == header:
            warnings[WarningCode.REPEATED_HEADER] += 1
            continue
        if any(cells):
            count += 1
            if count > max_rows:
                raise FileFault(
                    FileCode.TOO_MANY_ROWS,
                    f"The file has more than {max_rows:,} rows. Split it.",
                )
        else:
            blank += 1
            if blank > max_blank_rows:
                raise FileFault(
                    FileCode.TOO_MANY_ROWS,
                    f"The file has more than {max_blank_rows:,} blank rows. Delete them.",
                )
        yield row


def split_header(rows: Iterator[Row]) -> tuple[Header, Sequence[Cell]]:
    """Consume `rows` up to the header. Return the header and its cells. Raises `FileFault`."""
    last: Sequence[Cell] = ()

    def noted_rows() -> Iterator[Row]:
        nonlocal last
        for row in rows:
            last = row[1]
            yield row

    return find_header(noted_rows()), last
