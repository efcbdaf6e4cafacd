"""Rejected rows out, mended rows in."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.roll.errors import RowCode, RowError
from shared.roll.rejects import RejectsWriter, arm, disarm, is_rejects_file
from shared.roll.rows import Cell, NoValue

LABELS = ("Student ID", "E-mail", "=Hall")
FAULT = RowError(7, "E-mail", RowCode.INVALID_EMAIL, "x", "Give one e-mail address.")


def written(*rows: tuple[int, list[Cell]]) -> list[list[str]]:
    file = StringIO(newline="")
    writer = RejectsWriter(file, LABELS)
    for line, cells in rows:
        writer.write(line, cells, [FAULT])
    text = file.getvalue()
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:], newline="")))


def test_a_row_keeps_its_cells_and_gets_its_line_and_faults() -> None:
    header, row = written((7, ["001", "x", "South"]))
    assert header == ["Student ID", "E-mail", "'=Hall", "_line", "_errors"]
    assert row == ["001", "x", "South", "7", "E-mail: INVALID_EMAIL. Give one e-mail address."]


def test_cells_of_excel_are_shown_as_excel_shows_them() -> None:
    _, row = written((7, [1001.0, True, NoValue(RowCode.EXCEL_ERROR, "#N/A")]))
    assert row[:3] == ["1001", "TRUE", "#N/A"]


def test_a_value_that_excel_has_lost_is_not_written_as_if_it_were_there() -> None:
    file = StringIO(newline="")
    fault = RowError(7, "Student ID", RowCode.ID_PRECISION_LOST, "x", "Enter the id again.")
    RejectsWriter(file, LABELS).write(7, [10**15, "x", "South"], [fault, FAULT])
    assert file.getvalue().splitlines()[1].startswith("#N/A,x,South,7,")


def test_a_short_row_is_filled_up_and_a_long_one_keeps_what_it_had_too_many() -> None:
    _, short, long = written((7, ["001"]), (8, ["002", "x", "South", "more"]))
    assert short[:4] == ["001", "", "", "7"]
    assert long[:4] == ["002", "x", "South", "8"]
    assert long[5:] == ["more"]


def test_without_rows_there_is_no_file() -> None:
    file = StringIO(newline="")
    RejectsWriter(file, LABELS)
    assert file.getvalue() == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''=1"])
def test_what_a_spreadsheet_would_run_is_disarmed(text: str) -> None:
    assert disarm(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ann", "1-1", "'t Hooft", "a=b"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert disarm(text) == arm(text) == text


@given(st.text(st.sampled_from("'=+-@\t\rab")))
def test_arming_gives_back_what_was_disarmed(text: str) -> None:
    assert arm(disarm(text)) == text


def test_a_rejects_file_is_known_by_both_its_columns() -> None:
    assert is_rejects_file(("id", "_line", "_errors"))
    assert not is_rejects_file(("id", "_line"))
