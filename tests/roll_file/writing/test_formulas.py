"""No cell of a written file begins a formula, with any separator that a program may use."""

import csv
import re
from collections.abc import Iterator
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.fields import VoterRow
from shared.roll_file.writing.csv_export import csv_blocks
from shared.roll_file.writing.disarming import arm, disarm, disarm_text
from shared.roll_file.writing.rejects import RejectsWriter
from shared.roll_file.writing.template import csv_template

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
SEPARATORS = (",", ";", "\t", "|")
ATTACKS = [
    "y;=cmd|'/C calc'!A0", "y\t=1+1", "y|@SUM(1)", "y,=1+1", "y\n=1+1", "y\r\n-1+1", "y;+1", "y;-1",
    'y;"=1+1"', 'y; "" =1', "y;\uff1d1", "=1", "\uff1d1", '"=1', " =1", "\n=1", "y\u2028=1", ";=1",
    "=1;=1|=1", "y;'=1", "'=1;''=1", "a|=b@x.edu", "\t=1", ";;=1", "y;\t=1",
]  # fmt: skip
TEXTS = st.text(st.sampled_from("'=+-@\t\r\n,;|\" ab01.\uff1d\u2028"), max_size=12)


def beginnings(text: str) -> Iterator[str]:
    """All cells that a program may make from a text, with and without regard to quotes."""
    for separator in SEPARATORS:
        for row in csv.reader(StringIO(text, newline=""), delimiter=separator):
            yield from row
        for line in text.splitlines():
            for cell in line.split(separator):
                yield cell
                yield cell.strip(' "')
    yield from re.split("[,;\t|\r\n]", text)


def assert_no_formula(text: str) -> None:
    found = [cell for cell in beginnings(text) if cell.startswith(tuple(SIGNS))]
    assert found == []


def rejects_file(cell: str) -> str:
    file = StringIO(newline="")
    writer = RejectsWriter(file, ("id", cell, "email"))
    faults = [
        RowError(2, cell, RowCode.EXCEL_ERROR, "", "Fix it."),
        RowError(2, "email", RowCode.MISSING_FIELD, "", "Fill it in."),
    ]
    writer.write(2, [cell, cell, "x"], faults[::-1])
    writer.write(3, [cell], faults)
    return file.getvalue().removeprefix("\ufeff")


def export(cell: str) -> str:
    voters: list[VoterRow] = [("A1", cell, cell, "a|=b@x.edu", cell, 3, True)]
    return b"".join(csv_blocks(voters)).decode("utf-8-sig")


@pytest.mark.parametrize("cell", ATTACKS)
def test_no_cell_of_a_rejects_file_or_an_export_begins_a_formula(cell: str) -> None:
    assert_no_formula(rejects_file(cell))
    assert_no_formula(export(cell))


@given(cell=TEXTS)
def test_no_text_at_all_makes_a_formula(cell: str) -> None:
    assert_no_formula(rejects_file(cell))
    assert_no_formula(export(cell))


def test_the_template_holds_no_formula() -> None:
    assert_no_formula(csv_template().decode("utf-8-sig"))


@pytest.mark.parametrize("cell", ATTACKS)
def test_what_was_disarmed_is_armed_again(cell: str) -> None:
    assert arm(disarm(cell)) == arm(disarm_text(cell)) == cell


@given(cell=TEXTS)
def test_any_text_is_armed_again(cell: str) -> None:
    assert arm(disarm(cell)) == arm(disarm_text(cell)) == cell


@pytest.mark.parametrize(
    "cell", ["Law, 2nd", "a-b", "a; b", "Tel|x", "O'Brien", "a=b", "R&D (e-v)"]
)
def test_text_without_a_formula_stays_as_it_is(cell: str) -> None:
    assert disarm(cell) == arm(cell) == disarm_text(cell) == cell


@pytest.mark.parametrize(
    "cell", [";" + '"' * 200_000, "; " * 200_000, ";'" * 200_000, " " * 200_000]
)
def test_a_cell_made_to_take_long_is_disarmed_in_linear_time(cell: str) -> None:
    assert arm(disarm(cell)) == cell
