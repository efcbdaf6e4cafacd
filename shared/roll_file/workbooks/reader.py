"""Choose the sheet of a workbook, find its header, and return its rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing

from shared.roll_file.errors import FileCode, FileFault, WarningCode
from shared.roll_file.formats import Format
from shared.roll_file.limits import Limits, ReadOptions
from shared.roll_file.rows.columns import Header
from shared.roll_file.rows.headings import short_label
from shared.roll_file.rows.row import Cell, RollReader, Row, data_rows, split_header
from shared.roll_file.rows.text import shorten
from shared.roll_file.workbooks.interface import Sheet, SheetRows, Workbook

MAX_SHEETS_NAMED = 10


def open_workbook(
    workbook: Workbook, file_format: Format, options: ReadOptions, limits: Limits
) -> RollReader:
    """Find the sheet with the roll and its header. The rows are then ready to be read.

    Raises `FileFault` and closes the workbook in that case. Otherwise the reader closes it.
    """
    try:
        return _open(workbook, file_format, options, limits)
    except BaseException:
        workbook.close()
        raise


def _open(
    workbook: Workbook, file_format: Format, options: ReadOptions, limits: Limits
) -> RollReader:
    sheets = _candidates(workbook.sheets, options.sheet)
    sheet, source, header, header_cells, unread = _find_roll(workbook, sheets)
    if options.sheet is None:
        later = sheets[sheets.index(sheet) + 1 :]
        unread += [other.title for other in later if _has_content(workbook, other)]
    warnings: Counter[WarningCode] = Counter()
    width = len(header.labels)
    rows = _full_rows(iter(source), header.line, width)

    def close() -> None:
        source.close()
        workbook.close()

    return RollReader(
        format=file_format,
        header=header,
        rows=data_rows(rows, _fit(header_cells, width), warnings, limits),
        fraction=source.fraction,
        close=close,
        sheet=shorten(sheet.title),
        warnings=warnings,
        assumptions=_assumptions(sheet, unread),
    )


def _candidates(there: Sequence[Sheet], title: str | None) -> list[Sheet]:
    """Return the requested sheet, or all visible sheets."""
    if title is None:
        sheets = [sheet for sheet in there if sheet.is_visible]
    else:
        sheets = [sheet for sheet in there if sheet.title == title]
    if not sheets:
        titles = ", ".join(_quote(sheet.title) for sheet in there[:MAX_SHEETS_NAMED])
        absence = "no visible sheet" if title is None else f"no sheet {_quote(title)}"
        raise FileFault(
            FileCode.SHEET_NOT_FOUND, f"The workbook has {absence}. Its sheets are: {titles}."
        )
    return sheets


def _find_roll(
    workbook: Workbook, sheets: Sequence[Sheet]
) -> tuple[Sheet, SheetRows, Header, Sequence[Cell], list[str]]:
    """Return the first sheet with the required columns, opened below its header.

    Returns the sheet, its rows, the header, the cells of the header, and the titles of earlier
    sheets that have other content.
    """
    others: list[str] = []
    fault: FileFault | None = None
    for sheet in sheets:
        source = workbook.rows(sheet.title)
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


def _has_content(workbook: Workbook, sheet: Sheet) -> bool:
    with closing(workbook.rows(sheet.title)) as source:
        return any(True for _ in source)


def _full_rows(rows: Iterator[Row], header_line: int, width: int) -> Iterator[Row]:
    """Yield every row from below the header to the last with a value, as wide as the header.

    A row without a value is a blank row, even if the file does not have it at all. Below the last
    value there are no rows.
    """
    blank = (None,) * width
    next_line = header_line + 1
    for line, cells in rows:
        for gap in range(next_line, line):
            yield gap, blank
        next_line = line + 1
        yield line, _fit(cells, width)


def _fit(cells: Sequence[Cell], width: int) -> Sequence[Cell]:
    if len(cells) == width:
        return cells
    return [*cells[:width], *[None] * (width - len(cells))]


def _assumptions(sheet: Sheet, unread: Sequence[str]) -> list[str]:
    if not unread:
        return []
    titles = ", ".join(map(_quote, unread[:MAX_SHEETS_NAMED]))
    more = ", ..." if len(unread) > MAX_SHEETS_NAMED else ""
    return [f"The roll was read from the sheet {_quote(sheet.title)}. Not read: {titles}{more}."]


def _quote(title: str) -> str:
    """Return the title in quotation marks, or a phrase if it may have a voter's email address."""
    return "with an email address as its name" if "@" in title else f'"{short_label(title)}"'
