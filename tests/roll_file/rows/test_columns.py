from collections.abc import Sequence

import pytest

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.rows.columns import Header, find_header


def header_of(*rows: Sequence[object]) -> Header:
    return find_header(enumerate(rows, start=1))


def fault_of(*rows: Sequence[object]) -> FileFault:
    with pytest.raises(FileFault) as caught:
        header_of(*rows)
    return caught.value


@pytest.mark.parametrize(
    ("label", "field"),
    [
        ("student_id", "student_id"),
        ("Student ID", "student_id"),
        ("STUDENT-ID", "student_id"),
        ("StudentID", "student_id"),
        ("studentId", "student_id"),
        ("  Student   ID  ", "student_id"),
        ("Student\nID", "student_id"),
        ("Student\u00a0ID", "student_id"),
        ("Ｓｔｕｄｅｎｔ ＩＤ", "student_id"),
        ("\ufeffStudent ID", "student_id"),
        ("ID", "student_id"),
        ("Student No.", "student_id"),
        ("Student Number", "student_id"),
        ("ID Number", "student_id"),
        ("Matric No", "student_id"),
        ("Matric №", "student_id"),
        ("Matriculation Number", "student_id"),
        ("Reg. No.", "student_id"),
        ("Registration Number", "student_id"),
        ("Index Number", "student_id"),
        ("First Name", "first_name"),
        ("FirstName", "first_name"),
        ("Given Name", "first_name"),
        ("Forename(s)", "first_name"),
        ("First Name(s)", "first_name"),
        ("Student's ID", "student_id"),
        ("SID", "student_id"),
        ("Current Year", "year"),
        ("Eligible (Y/N)", "is_eligible"),
        ("Students", None),
        ("Side", None),
        ("Forename", "first_name"),
        ("Surname", "last_name"),
        ("Family Name", "last_name"),
        ("E-mail", "email"),
        ("EMAIL", "email"),
        ("E-Mail Address", "email"),
        ("Mail", "email"),
        ("University Email", "email"),
        ("Dept.", "department"),
        ("Department Name", "department"),
        ("Faculty", "department"),
        ("Level", "year"),
        ("Year of Study", "year"),
        ("Eligible?", "is_eligible"),
        ("Can Vote", "is_eligible"),
        ("Eligible to vote", "is_eligible"),
        ("Name", None),
        ("Full Name", None),
        ("Programme", None),
        ("Academic Year", None),
        ("Year of Birth", None),
        ("Personal Email", None),
        ("Parent's e-mail", None),
        ("National ID", None),
        ("Status", None),
        ("Serial No", None),
        ("Emial", None),
        ("_student_id", None),
        ("_errors", None),
        ("", None),
    ],
)
def test_a_label_means_a_field_only_by_the_table(label: str, field: str | None) -> None:
    required = {"student_id": "student_id", "email": "email"}
    required.pop(str(field), None)
    header = header_of([label, *required.values()])
    meaning = {index: name for name, index in header.columns.items()}
    assert meaning.get(0) == field


def test_the_header_shows_what_is_ignored_and_what_is_missing() -> None:
    header = header_of(["Phone", "ID", "", "E-mail", "Level", "_line", "", ""])
    assert header.labels == ("Phone", "ID", "", "E-mail", "Level", "_line")
    assert dict(header.columns) == {"student_id": 1, "email": 3, "year": 4}
    assert header.ignored == ("Phone", "_line")
    assert header.missing == ("first_name", "last_name", "department", "is_eligible")


def test_the_header_may_stand_below_titles_and_blank_rows() -> None:
    header = header_of(["Voter roll 2026"], [], [None, ""], ["printed on", "1 May"], ["ID", "Mail"])
    assert header.line == 5


def test_rows_below_the_header_are_left_in_the_stream() -> None:
    rows = iter([(1, ["title"]), (2, ["ID", "Mail"]), (3, ["1", "a@uni.example"])])
    find_header(rows)
    assert list(rows) == [(3, ["1", "a@uni.example"])]


def test_the_header_is_searched_in_the_first_20_nonblank_rows() -> None:
    titles = [["title"]] * 19
    assert header_of(*titles, [], ["ID", "Mail"]).line == 21
    assert fault_of(*titles, ["one more"], ["ID", "Mail"]).code is FileCode.MISSING_COLUMNS


def test_missing_columns_are_named_with_labels_of_the_best_row() -> None:
    fault = fault_of(["Roll of 2026"], ["Student ID", "Surname", "Phone"], ["1", "Moss", "555"])
    assert fault.code is FileCode.MISSING_COLUMNS
    assert "email" in fault.message
    assert '"Student ID", "Surname", "Phone"' in fault.message
    assert "555" not in fault.message


def test_two_columns_for_one_field_are_a_fault_that_names_both() -> None:
    fault = fault_of(["Student ID", "E-mail", "Mail", "Year"])
    assert fault.code is FileCode.AMBIGUOUS_COLUMNS
    assert '"E-mail" and "Mail"' in fault.message


@pytest.mark.parametrize("rows", [[], [[], [""], [None, " \u00a0\u200b"]]])
def test_a_file_without_any_text_is_empty(rows: list[list[object]]) -> None:
    assert fault_of(*rows).code is FileCode.EMPTY_FILE


def test_a_label_is_kept_short() -> None:
    assert len(header_of(["ID", "Mail", "x" * 5000]).labels[2]) == 200
    assert len(header_of(["ID", "Mail", "x" * 5000]).ignored[0]) == 60


def test_control_characters_in_a_label_are_spelt_out() -> None:
    assert header_of(["ID", "Mail", "Te\x00l"]).ignored == ("Te<U+0000>l",)
