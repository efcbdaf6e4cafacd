"""How a file is to be read, and how much of it may be there."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the uploader knows better than we could find out; None leaves it to us.

    `encoding` is a name that Python knows, `delimiter` one character, `sheet` the title of a
    sheet, which may then be a hidden one.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds that keep memory and time in hand whatever the file; sizes of parts are unpacked.

    Excel saves every row of a sheet, 1,048,576, when a cell at its end was once formatted. The
    largest honest sheet is about 1,048,576 rows (Excel's own limit) of seven inline strings,
    some 500 MiB of XML. A table of shared strings is kept: 64 MiB of short ones took openpyxl 21 s
    and 510 MiB of memory.
    """

    max_rows: int = 5_000_000
    max_blank_rows: int = 2_000_000
    max_line_bytes: int = MIB
    max_record_lines: int = 100
    max_field_chars: int = MIB
    max_members: int = 500
    max_directory_bytes: int = MIB
    max_part_bytes: int = 1024 * MIB
    max_total_bytes: int = 2048 * MIB
    max_strings_bytes: int = 48 * MIB
    max_small_part_bytes: int = 16 * MIB
    max_small_tags: int = 200_000
    max_string_tags: int = 5_000_000
    fast_sheet_bytes: int = 64 * MIB
    max_xls_bytes: int = 16 * MIB
    max_xlsb_bytes: int = 32 * MIB
    max_ods_bytes: int = 96 * MIB
    max_grid_cells: int = 4_000_000
    max_sheets: int = 500
    max_unread_cells: int = 200_000
    max_copied_text_bytes: int = 32 * MIB
    max_ratio: int = 400
    ratio_free_bytes: int = 16 * MIB
