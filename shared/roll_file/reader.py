"""Open a roll, whatever its format."""

from typing import BinaryIO

from shared.roll_file.csv_files.reader import open_csv
from shared.roll_file.detection import detect_format
from shared.roll_file.formats import Format
from shared.roll_file.limits import Limits, ReadOptions
from shared.roll_file.rows.row import Cell, NoValue, RollReader, Row
from shared.roll_file.workbooks.calamine.opening import open_with_calamine
from shared.roll_file.workbooks.opening import open_xlsx

__all__ = ["Cell", "Limits", "NoValue", "ReadOptions", "RollReader", "Row", "open_roll"]

_DEFAULT_OPTIONS = ReadOptions()
_DEFAULT_LIMITS = Limits()


def open_roll(
    stream: BinaryIO,
    options: ReadOptions = _DEFAULT_OPTIONS,
    *,
    limits: Limits = _DEFAULT_LIMITS,
) -> RollReader:
    """Find out what a seekable stream holds and read it up to the header.

    The stream stays the caller's and must stay open while rows are read. Raises `FileFault` for
    whatever content is no roll.
    """
    match detect_format(stream, limits, options.encoding):
        case Format.CSV:
            return open_csv(stream, options, limits)
        case Format.XLSX:
            return open_xlsx(stream, options, limits)
        case file_format:
            return open_with_calamine(stream, file_format, options, limits)
