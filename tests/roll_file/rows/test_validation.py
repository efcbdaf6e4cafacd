from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.roll_file.errors import MAX_VALUE_CHARS, RowCode
from shared.roll_file.fields import FIELDS, MAX_CHARS
from shared.roll_file.rows.columns import find_header
from shared.roll_file.rows.row import Cell, NoValue
from shared.roll_file.rows.validation import (
    FaultyRow,
    StagedRow,
    _examine,
    compile_validator,
    conflict_error,
)
from tests.roll_file.roll_samples import CLEAN, LABELS, codes_of

HEADER = find_header([(1, LABELS)])
VALIDATE = compile_validator(HEADER)


def row_with(**cells: Cell) -> list[Cell]:
    return [cells.get(field, plain) for field, plain in zip(LABELS, CLEAN, strict=True)]


def value_of(field: str, cell: Cell) -> object:
    """The value for the roll from one cell, in an otherwise good row, or the code of its fault."""
    result = VALIDATE(2, row_with(**{field: cell}))
    if isinstance(result, FaultyRow):
        (error,) = result.errors
        assert error.column == field
        return error.code
    assert result is not None
    return result[1 + FIELDS.index(field)]


def test_a_clean_row_becomes_a_voter() -> None:
    assert VALIDATE(7, CLEAN) == (
        7,
        "S001",
        "Ada",
        "Moss",
        "ada.moss@uni.example",
        "Physics",
        3,
        True,
    )


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("007", "007"),
        (" 007\u00a0", "007"),
        ("\u200b007\ufeff", "007"),
        ("1001.0", "1001.0"),
        ('="007"', "007"),
        ('="1001', RowCode.STRAY_QUOTE),
        ('="" 7"', RowCode.STRAY_QUOTE),
        ('="1.23E+10"', RowCode.ID_SCIENTIFIC),
        ('=""', RowCode.MISSING_FIELD),
        (1001, "1001"),
        (1001.0, "1001"),
        (0, "0"),
        (999_999_999_999_999, "999999999999999"),
        ("ENG/2020/001", "ENG/2020/001"),
        ("CSC 2020 01", "CSC 2020 01"),
        ("12E5", "12E5"),
        ("1E5", "1E5"),
        ("12E+3", RowCode.ID_SCIENTIFIC),
        ("2.02301234E8", RowCode.ID_SCIENTIFIC),
        ("1,23E10", RowCode.ID_SCIENTIFIC),
        ("12.5E3", "12.5E3"),
        ("12E-A", "12E-A"),
        ("A-1.2E+3", "A-1.2E+3"),
        ("E\u0301-1", "É-1"),
        ("x" * 64, "x" * 64),
        (True, "TRUE"),
        ("1234567890123456789", "1234567890123456789"),
        (1_000_000_000_000_000, RowCode.ID_PRECISION_LOST),
        (1.2345678901234568e18, RowCode.ID_PRECISION_LOST),
        (-1_000_000_000_000_000, RowCode.ID_PRECISION_LOST),
        ("1.23E+10", RowCode.ID_SCIENTIFIC),
        ("1,23e+10", RowCode.ID_SCIENTIFIC),
        ("2E-7", RowCode.ID_SCIENTIFIC),
        ("20.23E+9", RowCode.ID_SCIENTIFIC),
        ("123.5E+6", RowCode.ID_SCIENTIFIC),
        ("1.E+10", RowCode.ID_SCIENTIFIC),
        ("-1.23E+10", RowCode.ID_SCIENTIFIC),
        ("+1.23E+10", RowCode.ID_SCIENTIFIC),
        ("'1.23E+10", RowCode.ID_SCIENTIFIC),
        ("1.E10", "1.E10"),
        ("+12E3", "+12E3"),
        ("'00123", RowCode.STRAY_QUOTE),
        ("'", RowCode.STRAY_QUOTE),
        ("''A1", RowCode.STRAY_QUOTE),
        ("A'1", "A'1"),
        ("1'", "1'"),
        ("\u202a007\u202c", "007"),
        ("\u2068007\u2069\u00ad", "007"),
        ("0\u00ad07", RowCode.CONTROL_CHARACTER),
        (1.5e-7, RowCode.ID_SCIENTIFIC),
        (datetime(2024, 5, 1), RowCode.DATE_NOT_TEXT),  # noqa: DTZ001
        (time(8, 30), RowCode.DATE_NOT_TEXT),
        (timedelta(days=1), RowCode.DATE_NOT_TEXT),
        ("0\x0007", RowCode.CONTROL_CHARACTER),
        ("007\x00", RowCode.CONTROL_CHARACTER),
        ("0\u200b07", RowCode.CONTROL_CHARACTER),
        ("0\n07", RowCode.CONTROL_CHARACTER),
        ("CSC\u00a001", RowCode.CONTROL_CHARACTER),
        ("0\u202e07", RowCode.CONTROL_CHARACTER),
        ("0\ud80007", RowCode.CONTROL_CHARACTER),
        ("x" * 65, RowCode.FIELD_TOO_LONG),
        ("#N/A", RowCode.EXCEL_ERROR),
        (NoValue(RowCode.EXCEL_ERROR, "#REF!"), RowCode.EXCEL_ERROR),
        (NoValue(RowCode.FORMULA_NO_VALUE, "=A1"), RowCode.FORMULA_NO_VALUE),
        ("", RowCode.MISSING_FIELD),
        (None, RowCode.MISSING_FIELD),
        (" \u200b\t", RowCode.MISSING_FIELD),
    ],
)
def test_an_id_is_text_and_never_loses_a_digit_unnoticed(cell: Cell, expected: object) -> None:
    assert value_of("student_id", cell) == expected


@pytest.mark.parametrize(
    "address",
    [
        "a@uni.example",
        "ada.moss@uni.example",
        "Ada.Moss@Uni.Example",
        "o'neill+roll@cs.uni-x.ac.uk",
        "a_b-c@x1.y2.edu",
        "1@2.edu",
        "émile@université.example",
        "用户@例子.广告",
        "a@xn--bcher-kva.xn--p1ai",
        "a--b@c--d.example",
        "संपर्क@डाटामेल.भारत",
        "ผู้ใช้@ตัวอย่าง.ไทย",
        "test@தமிழ்.இந்தியா",
        f"{'l' * 64}@uni.example",
        f"a@{'d' * 63}.example",
    ],
)
def test_an_address_is_kept_as_it_is_written(address: str) -> None:
    assert value_of("email", address) == address


@pytest.mark.parametrize(
    "address",
    [
        "ada",
        "ada@",
        # Combining marks without a letter before them, and invisible marks.
        "\u0301a@uni.example",
        "a@\u093funi.example",
        "a.\u0e31b@uni.example",
        "a@uni-\u0301x.example",
        "a\ufe0f@uni.example",
        "a\u034fb@uni.example",
        "@uni.example",
        "ada@uni",
        "ada@uni.e",
        "ada@uni.123",
        "ada@@uni.example",
        "ada@x@uni.example",
        ".ada@uni.example",
        "ada.@uni.example",
        "ada..moss@uni.example",
        "ada@.uni.example",
        "ada@uni..example",
        "ada@uni.example.",
        "ada@-uni.example",
        "ada@uni-.example",
        "ada moss@uni.example",
        "ada@uni example.edu",
        "ada@uni_x.example",
        "Ada <ada@uni.example>",
        "mailto:ada@uni.example",
        "ada@uni.example; b@uni.example",
        "ada@uni.example,b@uni.example",
        "ada@[127.0.0.1]",
        '"ada"@uni.example',
        f"{'l' * 65}@uni.example",
        f"a@{'d' * 64}.example",
    ],
)
def test_what_is_not_one_address_is_refused(address: str) -> None:
    assert value_of("email", address) is RowCode.INVALID_EMAIL


def test_an_email_address_that_is_too_long_has_its_own_fault() -> None:
    assert value_of("email", "a@" + "d.example" * 40) is RowCode.FIELD_TOO_LONG


@pytest.mark.parametrize("attack", ["a" * 254, "a." * 127, "a@" + "a." * 126, "a@" + "a-" * 126])
def test_an_address_is_decided_in_linear_time(attack: str) -> None:
    for _ in range(200):
        assert value_of("email", attack) is RowCode.INVALID_EMAIL


@pytest.mark.parametrize("field", ["first_name", "last_name", "department"])
@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("Zoë", "Zoë"),
        ("Zoe\u0308", "Zoë"),
        ("\u00a0 Ada \t", "Ada"),
        ("Mary  Ann", "Mary  Ann"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("", None),
        (None, None),
        (" \u2003", None),
        ("nan", "nan"),
        (5, "5"),
        (5.0, "5"),
        (5.5, "5.5"),
        (True, "TRUE"),
        (False, "FALSE"),
        (date(2024, 5, 1), "2024-05-01"),
        (datetime(2024, 5, 1), "2024-05-01"),  # noqa: DTZ001
        (datetime(2024, 5, 1, 8, 30), "2024-05-01T08:30:00"),  # noqa: DTZ001
        ("bell\x07", RowCode.CONTROL_CHARACTER),
        ("a\x00b", RowCode.CONTROL_CHARACTER),
        ("a\x1cb", RowCode.CONTROL_CHARACTER),
        ("\x1f", RowCode.CONTROL_CHARACTER),
        ("a\x85b", RowCode.CONTROL_CHARACTER),
        ("a\u202eb", RowCode.CONTROL_CHARACTER),
        ("a\ud800b", RowCode.CONTROL_CHARACTER),
        ("#NAME?", RowCode.EXCEL_ERROR),
        ("x" * 201, RowCode.FIELD_TOO_LONG),
    ],
)
def test_names_are_trimmed_composed_and_printable(field: str, cell: Cell, expected: object) -> None:
    assert value_of(field, cell) == expected


def test_every_white_space_sign_of_unicode_is_blank() -> None:
    controls = "\x1c\x1d\x1e\x1f"
    spaces = [chr(code) for code in range(0x110000) if chr(code).isspace()]
    assert {value_of("first_name", sign) for sign in spaces if sign not in controls} == {None}
    assert {value_of("first_name", sign) for sign in controls} == {RowCode.CONTROL_CHARACTER}


@pytest.mark.parametrize("field", sorted(set(MAX_CHARS) - {"email"}))
def test_a_value_as_long_as_the_roll_holds_is_saved(field: str) -> None:
    assert value_of(field, "x" * MAX_CHARS[field]) == "x" * MAX_CHARS[field]
    assert value_of(field, "x" * (MAX_CHARS[field] + 1)) is RowCode.FIELD_TOO_LONG


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *((str(year), year) for year in range(1, 13)),
        *((float(year), year) for year in range(1, 13)),
        ("03", 3),
        ("003", 3),
        ("3.0", 3),
        (" 3 ", 3),
        (3, 3),
        ("", None),
        (None, None),
        *(
            (bad, RowCode.INVALID_YEAR)
            for bad in ("0", "13", "-1", "3.5", "3,0", "third", "100", "2024", "1e0", "٣", "3rd")
        ),
        *((bad, RowCode.INVALID_YEAR) for bad in (0, 13, 3.5, -1, True, date(2024, 5, 1), 10**40)),
        ("#VALUE!", RowCode.EXCEL_ERROR),
    ],
)
def test_a_year_is_a_whole_number_from_1_to_12(cell: Cell, expected: object) -> None:
    assert value_of("year", cell) == expected


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        *((word, True) for word in ("true", "TRUE", "True", "yes", "YES", "Y", "t", "1", "yEs")),
        *((word, False) for word in ("false", "FALSE", "no", "No", "n", "F", "0", "nO")),
        *((number, True) for number in (True, 1, 1.0)),
        *((number, False) for number in (False, 0, 0.0)),
        (" yes\u00a0", True),
        ("", None),
        (None, None),
        *(
            (bad, RowCode.INVALID_ELIGIBILITY)
            for bad in ("maybe", "2", "yes!", "eligible", "x", "n/a", 2, -1, 0.5)
        ),
    ],
)
def test_eligibility_is_yes_or_no_in_few_words(cell: Cell, expected: object) -> None:
    result = value_of("is_eligible", cell)
    assert result is expected or result == expected
    assert not isinstance(result, int) or isinstance(result, bool)


def test_every_row_fault_is_reported_with_column_value_and_line() -> None:
    result = VALIDATE(9, ["1E+10", "a\x00", "Moss", "ada", "Physics", "13", "maybe"])
    assert isinstance(result, FaultyRow)
    assert [
        (error.line, error.column, str(error.code), error.value) for error in result.errors
    ] == [
        (9, "student_id", "ID_SCIENTIFIC", "1E+10"),
        (9, "first_name", "CONTROL_CHARACTER", "a<U+0000>"),
        (9, "email", "INVALID_EMAIL", "ada"),
        (9, "year", "INVALID_YEAR", "13"),
        (9, "is_eligible", "INVALID_ELIGIBILITY", "maybe"),
    ]
    assert all(error.message for error in result.errors)


def test_both_required_fields_are_needed_and_blanks_are_counted() -> None:
    result = VALIDATE(2, ["", "Ada", " ", None, "", "3", ""])
    assert codes_of(result) == ["MISSING_FIELD", "MISSING_FIELD"]
    assert isinstance(result, FaultyRow)
    assert result.missing == ("student_id", "last_name", "email", "department", "is_eligible")


def test_a_shown_value_is_short_and_printable() -> None:
    result = VALIDATE(2, row_with(email="\x00" * 500))
    assert isinstance(result, FaultyRow)
    (error,) = result.errors
    assert len(error.value) <= MAX_VALUE_CHARS
    assert error.value.isprintable()


def test_an_absent_column_states_nothing() -> None:
    validate = compile_validator(find_header([(1, ["Mail", "Phone", "ID"])]))
    assert validate(2, ["a@uni.example", "555", "7"]) == (
        *(2, "7", None, None, "a@uni.example", None, None, None),
    )
    rejected = validate(3, ["", "555", "7"])
    assert isinstance(rejected, FaultyRow)
    assert rejected.errors[0].column == "Mail"
    assert rejected.missing == (
        *("first_name", "last_name", "email", "department", "year", "is_eligible"),
    )


@pytest.mark.parametrize("cells", [[], [""] * 7, [None] * 7, [" ", "\u00a0", "\u200b", "\t"] * 3])
def test_a_row_without_any_text_is_blank(cells: Sequence[Cell]) -> None:
    assert VALIDATE(2, cells) is None


def test_a_row_with_text_only_in_an_ignored_column_is_not_blank() -> None:
    validate = compile_validator(find_header([(1, ["ID", "Mail", "Remark"])]))
    assert codes_of(validate(2, ["", "", "left"])) == ["MISSING_FIELD", "MISSING_FIELD"]


@pytest.mark.parametrize("cells", [CLEAN[:6], ["1"], [*CLEAN, "more"], [*CLEAN, "", "more"]])
def test_a_row_of_another_width_has_only_that_fault(cells: Sequence[Cell]) -> None:
    result = VALIDATE(2, cells)
    assert codes_of(result) == ["COLUMN_COUNT"]
    assert isinstance(result, FaultyRow)
    assert result.missing == ()
    assert result.errors[0].column == ""


def test_blank_cells_beyond_the_header_do_no_harm() -> None:
    assert VALIDATE(2, [*CLEAN, "", " "]) == VALIDATE(2, CLEAN)


def test_a_conflict_names_the_other_lines() -> None:
    one = conflict_error(3, [9], False, "ID", "007")
    assert (one.line, one.column, one.code, one.value) == (3, "ID", RowCode.CONFLICTING_ROWS, "007")
    assert "Line 9 gives" in one.message
    assert "Lines 4, 5 and 1,000 give" in conflict_error(3, [4, 5, 1000], False, "", "").message
    assert "Lines 4, 5 and others give" in conflict_error(3, [4, 5], True, "", "").message


spice = st.sampled_from(
    [*"aZ0 9.@-_#/+éا'", "\u00a0", "\u200b", "\t", "\x00", "e\u0301", "\ud800", "\x1f", "1E+5"]
)
texts = st.lists(spice, max_size=8).map("".join) | st.sampled_from(CLEAN)
words = st.sampled_from(["1", "03", "12", "13", "2.0", "yes", "No", "T", "0", "", " 1", "TRUE"])
numbers = st.integers(-20, 20) | st.sampled_from([10**15 - 1, 10**15, 10**20, 1.0, 2.5, -0.0, 1e16])
others = st.sampled_from(
    [None, True, False, date(2024, 1, 1), NoValue(RowCode.EXCEL_ERROR, "#N/A")]
)
cells = texts | words | numbers | others


@given(st.tuples(cells, cells, cells, cells | st.just("a@uni.example"), cells, cells, cells))
def test_the_fast_way_and_the_exact_way_agree(row: tuple[Cell, ...]) -> None:
    exact: StagedRow | FaultyRow | None = _examine(HEADER, 2, row)
    assert VALIDATE(2, row) == exact
    assert repr(VALIDATE(2, row)) == repr(exact)


@given(st.tuples(texts, texts, texts, texts, texts))
def test_validating_a_voter_again_changes_nothing(row: tuple[str, ...]) -> None:
    once = VALIDATE(2, [*row, "3", "yes"])
    if isinstance(once, tuple):
        again = VALIDATE(2, [*once[1:6], "3", "yes"])
        assert again == once
