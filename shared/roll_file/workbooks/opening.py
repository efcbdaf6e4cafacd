"""Open an .xlsx or .xlsm workbook: calamine for small plain ones, openpyxl for all others."""

from typing import BinaryIO

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.formats import Format
from shared.roll_file.limits import Limits, ReadOptions
from shared.roll_file.rows.row import RollReader
from shared.roll_file.workbooks.calamine.workbook import CalamineWorkbook
from shared.roll_file.workbooks.damage import damage_is_a_fault
from shared.roll_file.workbooks.reader import open_workbook
from shared.roll_file.workbooks.xlsx.precheck import check_parts
from shared.roll_file.workbooks.xlsx.workbook import OpenpyxlWorkbook
from shared.roll_file.workbooks.zip_guard import open_archive


def open_xlsx(stream: BinaryIO, options: ReadOptions, limits: Limits) -> RollReader:
    """Open the workbook with the library that fits. Raises `FileFault`."""
    with damage_is_a_fault(), open_archive(stream, limits) as archive:
        contents = check_parts(archive, limits)
    if contents.is_plain:
        try:
            return open_workbook(CalamineWorkbook(stream), Format.XLSX, options, limits)
        except FileFault as fault:
            if fault.code is not FileCode.UNREADABLE_FILE:
                raise
            # openpyxl decides whether the workbook can be read.
    workbook = OpenpyxlWorkbook(stream, contents)
    return open_workbook(workbook, Format.XLSX, options, limits)
