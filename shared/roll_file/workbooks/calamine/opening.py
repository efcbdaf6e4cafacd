"""Open the workbooks that only calamine can read: .xls, .xlsb and .ods."""

from typing import BinaryIO

from shared.roll_file.formats import Format
from shared.roll_file.limits import Limits, ReadOptions
from shared.roll_file.rows.row import RollReader
from shared.roll_file.workbooks.calamine.ods import look_at_ods
from shared.roll_file.workbooks.calamine.unread_cells import UnreadCells
from shared.roll_file.workbooks.calamine.workbook import CalamineWorkbook
from shared.roll_file.workbooks.calamine.xls import look_at_xls
from shared.roll_file.workbooks.calamine.xlsb import look_at_xlsb
from shared.roll_file.workbooks.damage import damage_is_a_fault
from shared.roll_file.workbooks.reader import open_workbook
from shared.roll_file.workbooks.zip_guard import open_archive


def open_with_calamine(
    stream: BinaryIO, file_format: Format, options: ReadOptions, limits: Limits
) -> RollReader:
    """Scan every cell, then load the workbook. Raises `FileFault`.

    The limits of the format bound the memory.
    """
    unread = _unread(stream, file_format, limits)
    return open_workbook(CalamineWorkbook(stream, unread), file_format, options, limits)


def _unread(stream: BinaryIO, file_format: Format, limits: Limits) -> dict[int, UnreadCells]:
    if file_format is Format.XLS:
        with damage_is_a_fault():
            return look_at_xls(stream, limits)
    look = look_at_xlsb if file_format is Format.XLSB else look_at_ods
    with damage_is_a_fault(), open_archive(stream, limits) as archive:
        return look(archive, limits)
