"""The rejects file, and the import of its fixed rows."""

import csv
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.rows.row import Cell, NoValue
from shared.roll_file.writing.disarming import arm, disarm
from shared.roll_file.writing.rejects import RejectsWriter, is_rejects_file

LABELS = ("Student ID", "E-mail", "=Hall")
FAULT = RowError(7, "E-mail", RowCode.INVALID_EMAIL, "x", "Give one e-mail address.")


def rejects_file(*rows: tuple[int, list[Cell]]) -> list[list[str]]:
    file = StringIO(newline="")
    writer = RejectsWriter(file, LABELS)
    for line, cells in rows:
        writer.write(line, cells, [FAULT])
    text = file.getvalue()
    assert text.startswith("\ufeff")
    return list(csv.reader(StringIO(text[1:], newline="")))


def test_a_row_keeps_its_cells_and_gets_its_line_and_faults() -> None:
    header, row = rejects_file((7, ["001", "x", "South"]))
    assert header == ["Student ID", "E-mail", "'=Hall", "_line", "_errors"]
    assert row == ["'001", "x", "South", "7", "E-mail: INVALID_EMAIL. Give one e-mail address."]


def test_cells_of_excel_are_shown_as_excel_shows_them() -> None:
    _, row = rejects_file((7, [1001.0, True, NoValue(RowCode.EXCEL_ERROR, "#N/A")]))
    assert row[:3] == ["1001", "TRUE", "#N/A"]


def test_a_value_that_excel_has_lost_is_written_as_missing() -> None:
    file = StringIO(newline="")
    fault = RowError(7, "Student ID", RowCode.ID_PRECISION_LOST, "x", "Enter the id again.")
    RejectsWriter(file, LABELS).write(7, [10**15, "x", "South"], [fault, FAULT])
    assert file.getvalue().splitlines()[1].startswith("#N/A,x,South,7,")


def test_short_rows_stay_rejected_and_long_rows_keep_their_rest() -> None:
    """The rejects file marks absent cells, so the row stays rejected until it is fixed."""
    _, short, long = rejects_file((7, ["A1"]), (8, ["A2", "x", "South", "more"]))
    assert short[:4] == ["A1", "#N/A", "#N/A", "7"]
    assert short[5:] == []
    assert long[:4] == ["A2", "x", "South", "8"]
    assert long[5:] == ["more"]


def test_a_short_row_without_a_missing_field_gets_an_extra_cell() -> None:
    _, short = rejects_file((7, ["A1", "x"]))
    assert short[:4] == ["A1", "x", "#N/A", "7"]
    assert short[5:] == ["#N/A"]


def test_unnamed_columns_keep_cells_and_extra_cells_come_last() -> None:
    file = StringIO(newline="")
    writer = RejectsWriter(file, LABELS, 2)
    for line, cells in ((7, ["A1", "x"]), (8, ["A2", "x", "South", "a"]), (9, [*"abcdef"])):
        writer.write(line, cells, [FAULT])
    header, short, full, long = csv.reader(StringIO(file.getvalue()[1:], newline=""))
    assert header == ["Student ID", "E-mail", "'=Hall", "", "", "_line", "_errors"]
    assert (short[:6], short[7:]) == (["A1", "x", "#N/A", "", "", "7"], ["#N/A"])
    assert (full[:6], full[7:]) == (["A2", "x", "South", "a", "", "8"], [])
    assert (long[:6], long[7:]) == (["a", "b", "c", "d", "e", "9"], ["f"])


def test_faults_are_disarmed_as_well() -> None:
    file = StringIO(newline="")
    fault = RowError(7, "=Hall", RowCode.EXCEL_ERROR, "#N/A", "Put the right value there.")
    RejectsWriter(file, LABELS).write(7, ["A1", "x", "#N/A"], [fault])
    assert ",'=Hall: EXCEL_ERROR" in file.getvalue()


def test_rejects_of_a_rejects_file_have_the_columns_of_the_first() -> None:
    file = StringIO(newline="")
    writer = RejectsWriter(file, ("Student ID", "E-mail", "'=Hall", "_line", "_errors"))
    writer.write(3, ["A1", "x", "South", "7", "old faults", "more"], [FAULT])
    header, row = csv.reader(StringIO(file.getvalue()[1:], newline=""))
    assert header == ["Student ID", "E-mail", "'=Hall", "_line", "_errors"]
    assert row[:4] == ["A1", "x", "South", "3"]
    assert row[4].startswith("E-mail: INVALID_EMAIL")
    assert row[5:] == ["more"]


def test_without_rows_there_is_no_file() -> None:
    file = StringIO(newline="")
    RejectsWriter(file, LABELS)
    assert file.getvalue() == ""


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "'=1", "''=1"])
def test_what_a_spreadsheet_would_run_is_disarmed(text: str) -> None:
    assert disarm(text) == f"'{text}"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "00123",
            "0123456",
            "123456789012",
            "9" * 40,
            " 007",
            "'007",
            "1.50",
            "12.0",
            ".5",
            "(5)",
        ),
        *("12E3", "1E5", "1.5e10", "2.02E+8", "20.23E+9", "1.E+10", "-1.23E+10", "+1.23E+10"),
        *("1-2", "3/4/2020", "2020-01-05", "1.2", "1.2.2020", "12:30", "5 PM", "1 1/2", "1,234"),
        *("MAR1", "mar-01", "1-Mar", "1 March 2020", "Sept. 5, 2020", "3. Mai", "12DEC", "MÄR 7"),
    ],
)
def test_what_a_spreadsheet_would_change_is_disarmed(text: str) -> None:
    assert disarm(text) == f"'{text}"
    assert arm(f"'{text}") == text


@pytest.mark.parametrize(
    "text",
    [
        *("", "'", "Ann", "'t Hooft", "a=b", "Mary", "April", "Julia May", "12 High St", "2041A"),
        *("0", "7", "12345678901", "S00123", "CS101", "1ann@x.edu", "U-1-2", "Law, 2nd"),
    ],
)
def test_other_text_stays_as_it_is(text: str) -> None:
    assert disarm(text) == arm(text) == text


@pytest.mark.parametrize("cell", ["1" + " " * 2_000_000 + "x", "'" * 2_000_000, "jan" + " " * 77])
def test_a_cell_made_to_take_long_takes_no_time(cell: str) -> None:
    assert disarm(cell) == cell


@given(st.text(st.sampled_from("'=+-@\t\rab 01.E/")))
def test_arming_gives_back_what_was_disarmed(text: str) -> None:
    assert arm(disarm(text)) == text


def test_a_rejects_file_is_known_by_both_its_columns() -> None:
    assert is_rejects_file(("id", "_line", "_errors"))
    assert not is_rejects_file(("id", "_line"))
