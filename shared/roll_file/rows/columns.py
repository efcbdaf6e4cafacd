"""Map the columns of a file to fields by exact labels in an explicit table, never by a guess."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.fields import FIELDS, REQUIRED
from shared.roll_file.rows.aliases.table import field_of
from shared.roll_file.rows.headings import looks_like_data, short_label
from shared.roll_file.rows.text import shorten, trim

HEADER_SEARCH_ROWS = 20
MAX_LABELS_SHOWN = 30
MAX_IGNORED_SHOWN = 100
# The rejects file writes each rejected row as wide as the header.
MAX_COLUMNS = 1_000
MAX_ROWS_ABOVE = 10_000


@dataclass(frozen=True, slots=True)
class Header:
    """The header of a file: its labels, and the column of each field.

    - `columns` maps a field to its index in a row.
    - `labels` are the file's own, trimmed, without blank ones at the end.
    - `ignored` names for people the labels that mean no field, without what may be a voter's data.
    - `missing` are the fields without a column, in the order of FIELDS.
    - `unnamed` counts the columns without a label to the right of the others. Rows of a CSV file
      may fill them or leave them out.
    """

    line: int
    labels: tuple[str, ...]
    columns: Mapping[str, int]
    ignored: tuple[str, ...]
    missing: tuple[str, ...]
    unnamed: int = 0


def find_header(rows: Iterable[tuple[int, Sequence[object]]]) -> Header:
    """Return the first of the first 20 non-blank rows that has the required columns.

    Consumes `rows` up to and including that row. Raises `FileFault`: EMPTY_FILE if the first 10,000
    rows are all blank, MISSING_COLUMNS, AMBIGUOUS_COLUMNS, TOO_MANY_COLUMNS.
    """
    rows_of_labels = (
        (line, _labels_of(line, cells)) for line, cells in islice(rows, MAX_ROWS_ABOVE)
    )
    best: tuple[str, ...] = ()
    for line, labels in islice((row for row in rows_of_labels if row[1]), HEADER_SEARCH_ROWS):
        indexes = recognise(labels)
        if all(field in indexes for field in REQUIRED):
            return _header(line, labels, indexes)
        if not best or len(indexes) > len(recognise(best)):
            best = labels
    if not best:
        raise FileFault(FileCode.EMPTY_FILE, "The file is empty. Export the roll again.")
    raise _missing_columns(best)


def _labels_of(line: int, cells: Sequence[object]) -> tuple[str, ...]:
    if len(cells) > MAX_COLUMNS and any(cells[MAX_COLUMNS:]):
        raise too_many_columns(line)
    return read_labels(cells[:MAX_COLUMNS])


def too_many_columns(line: int) -> FileFault:
    """Return the fault of a line that is wider than any roll."""
    return FileFault(
        FileCode.TOO_MANY_COLUMNS,
        f"Line {line:,} has more than {MAX_COLUMNS:,} columns, so this is probably not a"
        " roll. Export it again with the columns that the roll needs.",
    )


def read_labels(cells: Sequence[object]) -> tuple[str, ...]:
    """Return the cells as labels: trimmed, short, printable, without blank ones at the end."""
    labels = ["" if cell is None else shorten(trim(str(cell))) for cell in cells]
    while labels and not labels[-1]:
        labels.pop()
    return tuple(labels)


def repeats_header(header: Header, cells: Sequence[object]) -> bool:
    """Whether the cells name the fields of the header in the same columns, in any spelling."""
    email = header.columns["email"]
    # This cell alone shows for most rows that they are not a header.
    if not recognise(read_labels(cells[email : email + 1])):
        return False
    indexes = recognise(read_labels(cells[: len(header.labels)]))
    return indexes == {field: [index] for field, index in header.columns.items()}


def recognise(labels: Iterable[str]) -> dict[str, list[int]]:
    """Return the indexes of the columns that mean a field, by field."""
    indexes: dict[str, list[int]] = {}
    for index, label in enumerate(labels):
        # Columns that a rejects file adds start with an underscore.
        if not label.startswith("_") and (field := field_of(label)):
            indexes.setdefault(field, []).append(index)
    return indexes


def _header(line: int, labels: tuple[str, ...], indexes_of: Mapping[str, list[int]]) -> Header:
    for field, indexes in indexes_of.items():
        if len(indexes) > 1:
            # They are aliases, so none of them is a voter's data.
            names = " and ".join(f'"{short_label(labels[index])}"' for index in indexes)
            raise FileFault(
                FileCode.AMBIGUOUS_COLUMNS,
                f"The columns {names} all mean {field}. Keep one of them, and rename or"
                " delete the other.",
            )
    columns = {field: indexes_of[field][0] for field in FIELDS if field in indexes_of}
    used_indexes = set(columns.values())
    return Header(
        line=line,
        labels=labels,
        columns=MappingProxyType(columns),
        ignored=_ignored_labels(
            [(i, label) for i, label in enumerate(labels) if label and i not in used_indexes]
        ),
        missing=tuple(field for field in FIELDS if field not in indexes_of),
    )


def _ignored_labels(columns: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Return their labels, or the column number in place of a label that may be a voter's data."""
    names = [
        f"column {index + 1}" if looks_like_data(label) else short_label(label)
        for index, label in columns[:MAX_IGNORED_SHOWN]
    ]
    more = len(columns) - len(names)
    return (*names, f"{more:,} more") if more else tuple(names)


def _missing_columns(labels: tuple[str, ...]) -> FileFault:
    """Return the fault of a file whose best row has these labels.

    The message goes into emails and stays in the job. It must therefore not quote a row that may be
    a voter's. Such a row has no known heading, or a cell that looks like data.
    """
    indexes = recognise(labels)
    has_data = any(map(looks_like_data, labels))
    if not indexes and has_data:
        return FileFault(
            FileCode.MISSING_COLUMNS,
            "The file has no header: its first row looks like a voter's. Put a row with the"
            " names of the columns on top, for example student_id and email.",
        )
    absent = " and ".join(field for field in REQUIRED if field not in indexes)
    return FileFault(
        FileCode.MISSING_COLUMNS,
        f"No column for {absent} was found. {_list_headings(labels, indexes, has_data)} Name the"
        f" columns in one of the first {HEADER_SEARCH_ROWS} rows, for example student_id and"
        " email.",
    )


def _list_headings(
    labels: Sequence[str], indexes_of: Mapping[str, Sequence[int]], has_data: bool
) -> str:
    """Return a sentence about the headings of the best row."""
    if not indexes_of:
        return "The service knows no header of the file."
    known_labels = [labels[index] for indexes in indexes_of.values() for index in indexes]
    headings = known_labels if has_data else [label for label in labels if label]
    names = ", ".join(f'"{short_label(label)}"' for label in headings[:MAX_LABELS_SHOWN])
    more = ", ..." if len(headings) > MAX_LABELS_SHOWN else ""
    which = "known headers" if has_data else "headers found"
    return f"The {which} are: {names}{more}."
