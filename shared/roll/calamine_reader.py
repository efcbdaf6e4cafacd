"""Rows of the workbooks that calamine alone can read: .xls, .xlsb and .ods."""

import struct
import zlib
from typing import BinaryIO
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile

from olefile.olefile import OleFileError

from shared.roll.calamine_workbook import CalamineWorkbook
from shared.roll.limits import Limits, ReadOptions
from shared.roll.ods_cells import look_at_ods
from shared.roll.rows import RollReader
from shared.roll.sniffing import Format
from shared.roll.unread_cells import UnreadCells
from shared.roll.workbook_faults import damaged
from shared.roll.workbook_reader import open_workbook
from shared.roll.xls_cells import look_at_xls
from shared.roll.xlsb_cells import look_at_xlsb
from shared.roll.zip_guard import open_archive

# What the looks raise for a damaged file, each tried.
DAMAGE = (
    BadZipFile,
    OleFileError,
    ExpatError,
    struct.error,
    zlib.error,
    EOFError,
    NotImplementedError,
    StopIteration,
    LookupError,
    TypeError,
    ValueError,
)


def open_with_calamine(
    stream: BinaryIO, file_format: Format, options: ReadOptions, limits: Limits
) -> RollReader:
    """Look at every cell, then load the workbook. Raises `FileFault`; memory is bounded by the
    limits of the format."""
    unread = _unread(stream, file_format, limits)
    return open_workbook(CalamineWorkbook(stream, unread), file_format, options, limits)


def _unread(stream: BinaryIO, file_format: Format, limits: Limits) -> dict[int, UnreadCells]:
    try:
        if file_format is Format.XLS:
            return look_at_xls(stream, limits)
        with open_archive(stream, limits) as archive:
            look = look_at_xlsb if file_format is Format.XLSB else look_at_ods
            return look(archive, limits)
    except DAMAGE as error:
        raise damaged() from error
