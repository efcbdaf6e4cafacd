"""Open a roll file of any supported format."""

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
    """Detect the format of a seekable stream and read it up to the header.

    The caller owns the stream and must keep it open while it reads rows. Raises `FileFault` if the
    content is not a roll.
    """
    match detect_format(stream, limits, options.encoding):
        case Format.CSV:
            return open_csv(stream, options, limits)
        case Format.XLSX:
            return open_xlsx(stream, options, limits)
        case file_format:
            return open_with_calamine(stream, file_format, options, limits)
