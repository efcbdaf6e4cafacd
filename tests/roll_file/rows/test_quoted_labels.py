"""Messages about a file quote headings and no voter's data, as mails and jobs contain them."""

from collections.abc import Callable

import pytest

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.limits import ReadOptions
from shared.roll_file.rows.columns import find_header
from shared.roll_file.rows.headings import looks_like_data
from tests.roll_file.roll_samples import csv_roll, fault_of, xlsx_roll

VOTER = ("0012345", "Wilhelmina", "Oppenheimer", "w.o@uni.example", "Astronomy", "3", "yes")


@pytest.mark.parametrize(
    "rows",
    [
        [VOTER],
        # Each of these rows has a cell that is also an alias of a heading.
        [("0012345", "Sid", "Oppenheimer", "w.o@uni.example", "Astronomy")],
        [("0012345", "Wilhelmina", "Oppenheimer", "School", "Level")],
        [("Wilhelmina", "Oppenheimer", "Astronomy")],
        [("Roll of 2026",), ("Wilhelmina", "Oppenheimer", "w.o@uni.example")],
    ],
)
@pytest.mark.parametrize("write", [csv_roll, xlsx_roll])
def test_a_file_without_a_header_is_not_quoted(
    write: Callable[..., bytes], rows: list[tuple[str, ...]]
) -> None:
    fault = fault_of(write(rows[1:], labels=rows[0]))
    assert fault.code is FileCode.MISSING_COLUMNS
    for cell in ("0012345", "Wilhelmina", "Oppenheimer", "w.o@", "Astronomy"):
        assert cell not in fault.message


def test_a_header_with_a_known_heading_is_quoted_and_shortened() -> None:
    with pytest.raises(FileFault) as caught:
        find_header(iter([(1, ["Student ID", "Vorname", "x" * 300])]))
    assert '"Student ID", "Vorname", "xxx' in caught.value.message
    assert len(caught.value.message) < 400


def test_an_ignored_column_is_named_or_counted() -> None:
    labels = ["ID", "Mail", "Hall", "Year 2026", "w.o@uni.example", "0012345", "WS 2026/27"]
    header = find_header(iter([(1, labels)]))
    assert header.ignored == ("Hall", "Year 2026", "column 5", "column 6", "column 7")


def test_many_ignored_columns_are_named_in_part() -> None:
    header = find_header(iter([(1, ["ID", "Mail", *(f"c{n}x" for n in range(900))])]))
    assert (len(header.ignored), header.ignored[-1]) == (101, "800 more")


@pytest.mark.parametrize(
    ("label", "is_data"),
    [
        *((label, False) for label in ("", "Hall", "Semester 1", "Address 2", "Year 2026", "Q1a")),
        *((label, True) for label in ("a@x", "0012345", "S001", "12", "1/2/2003", "+49 30 12345")),
    ],
)
def test_a_label_with_an_address_or_many_digits_looks_like_data(label: str, is_data: bool) -> None:
    assert looks_like_data(label) is is_data


def test_titles_of_sheets_are_short_and_no_addresses() -> None:
    data = xlsx_roll([], title="w.o at uni")
    fault = fault_of(data, ReadOptions(sheet="w.o@uni.example" + "x" * 90))
    assert "w.o@uni" not in fault.message
    assert '"w.o at uni"' in fault.message
