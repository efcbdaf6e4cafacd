"""Split lines into cells by Python's csv module."""

import csv
from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.roll_file.limits import MIB

if TYPE_CHECKING:
    from _csv import Reader

MAX_CELL_CHARS = MIB
# The csv module has one limit for the whole process, so this sets it once. It bounds the memory of
# a cell whose quotation mark is never closed. A longer cell raises `csv.Error`.
csv.field_size_limit(MAX_CELL_CHARS)


def split_lines(lines: Iterable[str], delimiter: str, *, strict: bool = False) -> "Reader":
    """Return an iterator over the records of the lines, which may have blanks before a cell.

    If `strict` is True, text after a closing quotation mark raises `csv.Error`.
    """
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=strict)
