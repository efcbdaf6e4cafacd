"""Rows of an Excel workbook (.xlsx, .xlsm): openpyxl knows the workbook, expat reads the cells."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import BinaryIO

from shared.roll.columns import Header
from shared.roll.errors import FileCode, FileFault, WarningCode
from shared.roll.limits import Limits, ReadOptions
from shared.roll.rows import Cell, RollReader, Row, data_rows, split_header
from shared.roll.sniffing import Format
from shared.roll.xlsx_sheet import SheetParser, parse_part
from shared.roll.xlsx_workbook import Sheet, Workbook, damage_is_a_fault, open_workbook

MAX_SHEETS_NAMED = 10


class SheetRows:
    """The rows of one sheet that hold a value, as a stream, and how much of it has been read."""

    def __init__(self, workbook: Workbook, sheet: Sheet, limits: Limits) -> None:
        self._size_bytes = workbook.archive.getinfo(sheet.part).file_size
        with damage_is_a_fault():
            self._part = workbook.archive.open(sheet.part)
        self._parser = SheetParser(workbook.strings, workbook.date_styles, workbook.epoch, limits)
        self._rows = self._read()

    def _read(self) -> Iterator[Row]:
        with damage_is_a_fault():
            yield from parse_part(self._part, self._parser)

    def __iter__(self) -> Iterator[Row]:
        return self._rows

    def fraction(self) -> float:
        """0 to 1, by unpacked bytes."""
        return min(self._part.tell() / max(self._size_bytes, 1), 1.0)

    def close(self) -> None:
        """Let go of the part; the archive stays open."""
        self._part.close()


def open_xlsx(stream: BinaryIO, options: ReadOptions, limits: Limits) -> RollReader:
    """Find the sheet that holds the roll and its header, leave the rows to be read.

    Raises `FileFault`. Memory is that of the shared strings, however many rows there are.
    """
    workbook = open_workbook(stream, limits)
    sheets = _candidates(workbook, options.sheet)
    chosen, source, header, header_cells, unread = _find_roll(workbook, sheets, limits)
    if options.sheet is None:
        later = sheets[sheets.index(chosen) + 1 :]
        unread += [sheet.title for sheet in later if _has_content(workbook, sheet, limits)]
    warnings: Counter[WarningCode] = Counter()
    width = len(header.labels)
    rows = _full_rows(iter(source), header.line, width)

    def close() -> None:
        source.close()
        workbook.archive.close()

    return RollReader(
        format=Format.XLSX,
        header=header,
        rows=data_rows(rows, _fitted(header_cells, width), warnings, limits.max_rows),
        fraction=source.fraction,
        close=close,
        sheet=chosen.title,
        warnings=warnings,
        assumptions=_assumptions(chosen, unread),
    )


def _candidates(workbook: Workbook, title: str | None) -> list[Sheet]:
    """The sheet that was asked for, or all that can be seen."""
    if title is None:
        sheets = [sheet for sheet in workbook.sheets if sheet.is_visible]
    else:
        sheets = [sheet for sheet in workbook.sheets if sheet.title == title]
    if not sheets:
        there = ", ".join(f'"{sheet.title}"' for sheet in workbook.sheets[:MAX_SHEETS_NAMED])
        wanted = "no visible sheet" if title is None else f'no sheet "{title[:60]}"'
        raise FileFault(
            FileCode.SHEET_NOT_FOUND, f"The workbook has {wanted}. Its sheets are: {there}."
        )
    return sheets


def _find_roll(
    workbook: Workbook, sheets: Sequence[Sheet], limits: Limits
) -> tuple[Sheet, SheetRows, Header, Sequence[Cell], list[str]]:
    """The first sheet with the required columns, opened below its header; and the titles of the
    sheets before it that hold something else."""
    others: list[str] = []
    fault: FileFault | None = None
    for sheet in sheets:
        source = SheetRows(workbook, sheet, limits)
        try:
            header, cells = split_header(iter(source))
        except FileFault as found:
            source.close()
            if found.code is FileCode.MISSING_COLUMNS:
                others.append(sheet.title)
            elif found.code is not FileCode.EMPTY_FILE:
                raise
            if fault is None or fault.code is FileCode.EMPTY_FILE:
                fault = found
        else:
            return sheet, source, header, cells, others
    raise fault or AssertionError("no sheets")


def _has_content(workbook: Workbook, sheet: Sheet, limits: Limits) -> bool:
    with closing(SheetRows(workbook, sheet, limits)) as source:
        return any(True for _ in source)


def _full_rows(rows: Iterator[Row], header_line: int, width: int) -> Iterator[Row]:
    """Every sheet row from below the header to the last with a value, as wide as the header.

    Rows without a value count as blank whether the file has formatted cells there or nothing at
    all; below the last value there are no rows.
    """
    blank = (None,) * width
    following = header_line + 1
    for line, cells in rows:
        for gap in range(following, line):
            yield gap, blank
        following = line + 1
        yield line, _fitted(cells, width)


def _fitted(cells: Sequence[Cell], width: int) -> Sequence[Cell]:
    if len(cells) == width:
        return cells
    return [*cells[:width], *[None] * (width - len(cells))]


def _assumptions(chosen: Sheet, unread: Sequence[str]) -> list[str]:
    if not unread:
        return []
    named = ", ".join(f'"{title}"' for title in unread[:MAX_SHEETS_NAMED])
    more = ", ..." if len(unread) > MAX_SHEETS_NAMED else ""
    return [f'The roll was read from the sheet "{chosen.title}"; not read: {named}{more}.']
