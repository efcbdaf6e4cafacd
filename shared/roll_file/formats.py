"""The formats of roll files."""

from enum import StrEnum


class Format(StrEnum):
    """The formats that can be read."""

    CSV = "csv"
    XLSX = "xlsx"
    XLSB = "xlsb"
    XLS = "xls"
    ODS = "ods"
