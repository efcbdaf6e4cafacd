"""Check the XML of a workbook in one cheap pass, before a library reads it.

The pass has these purposes:
- It rejects every DTD. Office writes none, and a "billion laughs" attack needs one.
- It rejects text that is too long for a cell.
- It checks row numbers. openpyxl silently skips a row that comes after a later one. It also counts
  up to a row number of 10^12.
- It decides whether both libraries would read the same. Calamine reads an error as a blank cell.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from xml.parsers import expat
from zipfile import ZipFile

from shared.roll_file.limits import Limits
from shared.roll_file.workbooks.faults import too_large
from shared.roll_file.workbooks.xlsx.common_subset import PlainPart, PlainSheet, PlainStrings
from shared.roll_file.workbooks.xlsx.package import Kind, Part, find_parts
from shared.roll_file.workbooks.xlsx.scan import WITH_TEXT, Look, scan
from shared.roll_file.workbooks.xlsx.styles import CellFormats, StylesLook

# Calamine looks for these parts only under these names. openpyxl finds them by their type.
_PLAIN_NAMES = {
    Kind.WORKBOOK: "xl/workbook.xml",
    Kind.STRINGS: "xl/sharedStrings.xml",
    Kind.STYLES: "xl/styles.xml",
}
_SHEETS = (Kind.SHEET, Kind.CHART, Kind.DIALOG, Kind.MACRO)


@dataclass(frozen=True, slots=True)
class Contents:
    """The result of the pass over a workbook.

    - `with_formulas`: the names of parts of sheets that have formulas
    - `formats`: the formats of cells
    - `has_escapes`: whether any text may have an escape
    - `is_plain`: whether calamine reads the same rows as openpyxl, in little memory
    """

    with_formulas: frozenset[str]
    formats: CellFormats
    has_escapes: bool
    is_plain: bool


def check_parts(archive: ZipFile, limits: Limits) -> Contents:
    """Check every XML part.

    Memory is that of the longest text. Raises `FileFault`, and what expat and zipfile raise for a
    damaged part.
    """
    parts = list(find_parts(archive))
    for part in parts:
        _check_size(part, limits)
    is_plain = (
        _has_plain_names(parts) and _bytes_in_memory(archive, parts) <= limits.fast_sheet_bytes
    )
    formats = _formats(archive, parts, limits)
    looks = {}
    for part in parts:
        look = Look(part.kind, limits, _plain_form(part.kind, formats) if is_plain else None)
        parser = expat.ParserCreate() if is_plain and not look.plain and part.is_read else None
        with archive.open(part.member) as content:
            scan(content, limits, look, parser)
        looks[part.member.filename] = look
    _check_sheets(looks.values())
    return Contents(
        frozenset(name for name, look in looks.items() if look.has_formula),
        formats,
        any(look.has_escape for look in looks.values()),
        is_plain and _are_plain(looks.values(), limits),
    )


def _check_size(part: Part, limits: Limits) -> None:
    """Raise WORKBOOK_TOO_LARGE if a part is too large for its kind.

    Sheets are streamed. Shared strings stay in memory. Every other part becomes a tree of many
    times its size.
    """
    match part.kind:
        case Kind.SHEET:
            max_bytes = limits.max_part_bytes
        case Kind.STRINGS:
            max_bytes = limits.max_strings_bytes
        case _:
            max_bytes = limits.max_small_part_bytes
    if part.member.file_size > max_bytes:
        raise too_large("The workbook has too much text or formatting.")


def _has_plain_names(parts: Sequence[Part]) -> bool:
    """Whether both libraries find the same parts."""
    named_parts = [part for part in parts if part.kind in _PLAIN_NAMES]
    kinds = {part.kind for part in named_parts}
    return (
        len(kinds) == len(named_parts)
        and all(part.member.filename == _PLAIN_NAMES[part.kind] for part in named_parts)
        and all(part.member.filename.endswith(".xml") for part in parts if part.kind is Kind.SHEET)
    )


def _bytes_in_memory(archive: ZipFile, parts: Sequence[Part]) -> int:
    """Return the bytes of cells, strings and the file. Calamine keeps a small multiple of this."""
    text_bytes = sum(part.member.file_size for part in parts if part.kind in WITH_TEXT)
    return text_bytes + sum(member.compress_size for member in archive.infolist())


def _formats(archive: ZipFile, parts: Sequence[Part], limits: Limits) -> CellFormats:
    """Return the cell formats. Both libraries look for them under one name."""
    for part in parts:
        if part.member.filename == _PLAIN_NAMES[Kind.STYLES]:
            if part.kind is not Kind.STYLES:
                raise ValueError("a list of styles that is something else")
            styles = StylesLook()
            with archive.open(part.member) as content:
                scan(content, limits, Look(part.kind, limits, None), styles.parser)
            return styles.formats()
    return CellFormats()


def _plain_form(kind: Kind, formats: CellFormats) -> PlainPart | None:
    match kind:
        case Kind.SHEET:
            return PlainSheet(formats)
        case Kind.STRINGS:
            return PlainStrings()
        case _:
            return None


def _check_sheets(looks: Collection[Look]) -> None:
    """Reject a part that is listed as several sheets, because it would be read as many times."""
    sheet_count = sum(look.sheet_count for look in looks)
    if sheet_count > sum(1 for look in looks if look.kind in _SHEETS):
        raise ValueError("more sheets than parts for them")


def _are_plain(looks: Collection[Look], limits: Limits) -> bool:
    """Whether all parts are plain, and the copies of shared strings are small enough.

    Calamine copies a shared string into every cell that refers to it.
    """
    forms = [look.plain for look in looks]
    references = sum(form.references for form in forms if isinstance(form, PlainSheet))
    longest_bytes = max(
        (form.longest_bytes for form in forms if isinstance(form, PlainStrings)), default=0
    )
    is_small = references * longest_bytes <= limits.fast_sheet_bytes
    return is_small and all(look.is_plain for look in looks)
