"""Exports of the roll: no value becomes a formula or changes, and a new import reads the same."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from shared.roll_file.errors import BadCell
from shared.roll_file.fields import FIELDS, VoterRow
from shared.roll_file.reader import open_roll
from shared.roll_file.rows.cells import read_email, read_student_id, read_text
from shared.roll_file.rows.validation import compile_validator
from shared.roll_file.writing.csv_export import LABELS, csv_blocks, is_disarmed, original_cells
from shared.roll_file.writing.xlsx_export import xlsx_blocks

Write = Callable[[Iterable[VoterRow]], Iterator[bytes]]
WRITERS = pytest.mark.parametrize("write", [csv_blocks, xlsx_blocks])

# Characters that some format, reader or program treats specially.
SIGNS = st.sampled_from(
    [*"=+-@'\"_x0041, ;|\t\n\r\u2028\ufeff\ufffe\uffff<>&]#é\N{GRINNING FACE}", '="', "_x000D_"]
)
TEXTS = st.lists(st.one_of(SIGNS, st.characters(codec="utf-8")), max_size=20).map("".join)


def readable(read: Callable[[Any], Any]) -> Callable[[str], bool]:
    """A function that says whether an import accepts a text."""

    def is_readable(text: str) -> bool:
        try:
            read(text)
        except BadCell:
            return False
        return True

    return is_readable


def stored_texts(
    read: Callable[[Any], Any], texts: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    """The values that the roll holds after an import has read such texts."""
    return texts.filter(readable(read)).map(lambda text: read(text) or "")


IDS = st.one_of(TEXTS, st.from_regex(r"0?[\d.,/E:-]{1,12}", fullmatch=True))
EMAILS = st.sampled_from(["ann@x.edu", "=a@x.edu", "-a@x.edu", "'+1@x.edu", "ä_x0041_@x.edu"])
VOTERS = st.tuples(
    stored_texts(read_student_id, IDS).filter(bool),
    stored_texts(read_text("first_name"), TEXTS),
    stored_texts(read_text("last_name"), TEXTS),
    stored_texts(read_email, EMAILS),
    stored_texts(read_text("department"), TEXTS),
    st.one_of(st.none(), st.integers(1, 12)),
    st.booleans(),
)


def read_back(content: bytes) -> list[VoterRow]:
    """The voters that an import reads from a file."""
    with open_roll(io.BytesIO(content)) as reader:
        assert is_disarmed(reader.header.labels)
        validate = compile_validator(reader.header)
        rows = [
            validate(line, original_cells(cells, reader.header.labels, reader.format))
            for line, cells in reader
        ]
    read = []
    for row in rows:
        assert isinstance(row, tuple), row
        _, student_id, first_name, last_name, email, department, year, is_eligible = row
        assert is_eligible is not None
        texts = (student_id, first_name or "", last_name or "", email, department or "")
        read.append((*texts, year, is_eligible))
    return read


@WRITERS
@given(voters=st.lists(VOTERS, min_size=1, max_size=4))
def test_an_export_reads_back_as_it_was(write: Write, voters: list[VoterRow]) -> None:
    assert read_back(b"".join(write(voters))) == voters


AWKWARD = [
    "0012345", "1E5", "3-4", "12/11", "=1+1", "+1", "-1", "@x", "007'",
    "TRUE", "1234567890123456789", "_x000D_", "a_x0041_x0042_b", "é", "&lt;", "a;b", "jan 5",
]  # fmt: skip


@WRITERS
@pytest.mark.parametrize("student_id", AWKWARD)
def test_an_id_reads_back_as_it_was(write: Write, student_id: str) -> None:
    voters: list[VoterRow] = [(student_id, "", "", "a@x.edu", "", None, False)]
    assert read_back(b"".join(write(voters))) == voters


NAMES = [
    "'=x", "''0012", "'",
    '=""', '="=""a"""', '=cmd|"/C calc"!A0', "\u202fa", "a\nb", "a\r\nb", "a\rb", "a\tb", "-",
    "+49 30 1", "b\n1,Ann,Lee,ann@x.edu,Law,1,yes\nc", "a\n\ufeffb", "\n".join("x" * 60),
    'say "hi"', '"', ",", "_x0041\rb", "\ufffe\uffff", "]]>", "<b>&amp;</b>", "a  b",
    "#N/A!", "a\u2028b", "sep=;",
]  # fmt: skip


@WRITERS
@pytest.mark.parametrize("name", NAMES)
def test_a_name_reads_back_as_it_was(write: Write, name: str) -> None:
    kept = read_text("first_name")(name) or ""
    voters: list[VoterRow] = [
        ("1", kept, kept, "a@x.edu", kept, 3, True),
        ("2", "Ann", "Lee", "b@x.edu", "Law", None, False),
    ]
    assert read_back(b"".join(write(voters))) == voters


def test_a_csv_file_holds_no_formula_and_no_bare_number() -> None:
    voters: list[VoterRow] = [("007", "=1+1", "+1", "-a@x.edu", "@SUM(A1)", 3, True)]
    content = b"".join(csv_blocks(voters)).decode("utf-8-sig")
    header, row = csv.reader(io.StringIO(content))
    assert header == [*FIELDS, "_disarmed"]
    assert row == ["'007", "'=1+1", "'+1", "'-a@x.edu", "'@SUM(A1)", "3", "true", ""]


def test_a_workbook_holds_text_and_no_formula() -> None:
    voters: list[VoterRow] = [("007", "=1+1", "3-4", "a@x.edu", "Law", 3, True)]
    book = load_workbook(io.BytesIO(b"".join(xlsx_blocks(voters))))
    header, row = book["Roll"].iter_rows()
    assert [cell.value for cell in header] == list(LABELS)
    shown = ["007", "'=1+1", "3-4", "a@x.edu", "Law", 3, True]
    assert [cell.value for cell in row[:7]] == shown
    assert [cell.data_type for cell in row[:7]] == ["s", "s", "s", "s", "s", "n", "b"]
    assert {cell.number_format for cell in row[:5]} == {"@"}


@WRITERS
def test_an_export_is_made_while_its_rows_come(write: Write) -> None:
    """The first block arrives long before the export requests the last row."""
    asked = 0

    def voters() -> Iterator[VoterRow]:
        nonlocal asked
        for number in range(30_000):
            asked = number
            yield (
                f"S{number:08}",
                "Ann",
                f"Lee{number * 7919 % 10_007}",
                "a@x.edu",
                "Law",
                1,
                True,
            )

    blocks = write(voters())
    block = next(blocks)
    assert asked < 10_000
    while len(block) < 1000:
        block = next(blocks)
    assert asked < 20_000
    blocks.close()  # type: ignore[attr-defined]


@WRITERS
def test_an_export_without_voters_has_its_header(write: Write) -> None:
    with open_roll(io.BytesIO(b"".join(write([])))) as reader:
        assert list(reader) == []


def test_a_file_of_another_program_is_not_armed() -> None:
    assert not is_disarmed(["student_id", "email"])
