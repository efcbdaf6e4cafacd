"""Options for reading a file, and limits on its size and parts."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What the uploader states about the file. None means: detect it automatically.

    `encoding` is a name that Python knows, and `delimiter` is one character. `sheet` is the title
    of a sheet, which may be hidden.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits that bound memory and time for every file. Sizes of zip parts are unpacked sizes.

    Excel saves all 1,048,576 rows of a sheet (its own limit) if a cell at the end once had a
    format. The largest real sheet has about that many rows of seven inline strings, some 500 MiB of
    XML. The table of shared strings stays in memory. For 64 MiB of short strings, openpyxl took 21
    s and 510 MiB of memory.
    """

    max_rows: int = 5_000_000
    max_blank_rows: int = 2_000_000
    max_line_bytes: int = MIB
    max_record_lines: int = 100
    max_cell_bytes: int = MIB
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
