"""One quotation mark too many or too few, at any place, never makes a voter disappear."""

import csv
from collections.abc import Iterator, Sequence
from io import BytesIO, StringIO
from typing import Literal

import pytest

from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.reader import open_roll
from shared.roll_file.rows.validation import FaultyRow, StagedRow, compile_validator
from tests.roll_file.roll_samples import fault_of, rows_of

LABELS = ("student_id", "email", "first_name", "department")
HEAD = ",".join(LABELS) + "\n"
ADDRESS = "1 High St\nOxford, OX1"


def text_of(
    *rows: Sequence[str], labels: Sequence[str] = LABELS, quoting: Literal[0, 1] = csv.QUOTE_MINIMAL
) -> str:
    text = StringIO(newline="")
    csv.writer(text, quoting=quoting, lineterminator="\n").writerows([labels, *rows])
    return text.getvalue()


HONEST = {
    "no quotes": text_of(("2", "a@u.edu", "Ann", "Law"), ("3", "b@u.edu", "Bob", "Art")),
    "one quoted cell": text_of(
        ("2", "a@u.edu", "Ann", "Law"), ("3", "b@u.edu", "Bob", "A, B"), ("4", "c@u.edu", "Cy", "X")
    ),
    "a quoted cell in every row": text_of(
        ("2", "a@u.edu", "Ann", "A, B"), ("3", "b@u.edu", "Bob", "A, B")
    ),
    "all cells quoted": text_of(
        ("2", "a@u.edu", "Ann", "A, B"), ("3", "b@u.edu", "", "X"), quoting=csv.QUOTE_ALL
    ),
    "quotes within quotes": text_of(
        ("2", "a@u.edu", 'Ann "Annie" Lee', "Law"), ("3", "b@u.edu", '"Bob"', "A, B")
    ),
    "postal addresses behind": text_of(
        ("2", "a@u.edu", "Ann", "Law", ADDRESS),
        ("3", "b@u.edu", "Bob", "Art", "x"),
        ("4", "c@u.edu", "Cy", "Art", "2 Low St,\nFlat 3, B,\nUK"),
        labels=(*LABELS, "address"),
    ),
    "postal addresses in front": text_of(
        (ADDRESS, "2", "a@u.edu", "Ann", "Law"),
        ("x", "3", "b@u.edu", "Bob", "Art"),
        ("2 Low St,\nFlat 3, B,\nUK", "4", "c@u.edu", "Cy", "Art"),
        labels=("address", *LABELS),
    ),
    "blank lines": HEAD + '2,a@u.edu,Ann,Law\n\n3,b@u.edu,Bob,"A, B"\n\n4,c@u.edu,Cy,X\n',
    "the address last": text_of(
        ("2", "Ann", "a@u.edu"), ("3", "Lee, Bob", "b@u.edu"), labels=("id", "first_name", "email")
    ),
    "two columns": text_of(("2", "a@u.edu"), ("3", "b@u.edu"), labels=("id", "email")),
}


def spoilt(text: str) -> Iterator[str]:
    """Variants of the text: one mark added anywhere below the header, or one mark removed."""
    for at in range(text.index("\n") + 1, len(text) + 1):
        yield f'{text[:at]}"{text[at:]}'
    for at, sign in enumerate(text):
        if sign == '"':
            yield text[:at] + text[at + 1 :]


def spoilt_twice(text: str) -> Iterator[str]:
    """Variants of the text with a mark before one cell and a mark after another."""
    starts = [at for at in range(text.index("\n") + 1, len(text)) if text[at - 1] in ",\n"]
    ends = [at for at in starts if at] + [len(text)]
    for start in starts:
        for end in ends:
            if end - 1 > start:
                yield f'{text[:start]}"{text[start : end - 1]}"{text[end - 1 :]}'


def results_by_line(text: str) -> dict[int, StagedRow | FaultyRow | None]:
    with open_roll(BytesIO(text.encode())) as reader:
        validate = compile_validator(reader.header)
        return {line: validate(line, cells) for line, cells in reader}


def without_marks(voter: StagedRow) -> list[str]:
    return [str(value).replace('"', "").replace(" ", "") for value in voter[1:]]


@pytest.mark.parametrize("honest", HONEST.values(), ids=HONEST)
def test_one_quote_too_many_or_too_few_loses_no_voter(honest: str) -> None:
    """Each voter is saved or named in a fault, or the service rejects the file."""
    voters = [row for row in results_by_line(honest).values() if isinstance(row, tuple)]
    assert len(voters) == len([row for row in results_by_line(honest).values() if row])
    ends = [*(voter[0] for voter in voters[1:]), honest.count("\n") + 2]
    refused = set()
    for text in spoilt(honest):
        try:
            results = results_by_line(text)
        except FileFault as fault:
            refused.add(fault.code)
            continue
        saved = [without_marks(row) for row in results.values() if isinstance(row, tuple)]
        for voter, end in zip(voters, ends, strict=True):
            if without_marks(voter) in saved:
                saved.remove(without_marks(voter))
            else:
                lines = range(voter[0], end)
                assert any(isinstance(results.get(line), FaultyRow) for line in lines), text
        assert not saved, text
    assert refused <= {FileCode.UNCLOSED_QUOTE, FileCode.MISSING_COLUMNS}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + '2,a@u.edu,"Ann,Law\n3,b@u.edu,Bob,"Law, Arts"\n4,c@u.edu,Cy,Art\n', 2),
        (HEAD + '2,a@u.edu,Ann,"Law\n\n3,b@u.edu,Bob,"Law\n', 2),
        (HEAD + '2,a@u.edu,"Ann,Law\n\n3,b@u.edu,Bob",Law\n', 2),
        (HEAD + '1,z@u.edu,Zoe,Law\n2,a@u.edu,Ann,"Law\n3",b@u.edu,Bob,Law\n', 3),
        (HEAD + '2,nobody,"Ann,Law\n3,noone,Bob",Law\n', 2),
        ("id,first_name,email,dept\n" + '2,"Ann,,Law\n3,Bob",b@u.edu,Law\n', 2),
        ("id,first_name,email,dept\n" + '2,"Ann,a@u.edu,Law\n3,Bob",b@u.edu,Law\n', 2),
        ("address,id,email\n" + '"x,2,a@u.edu\ny",3,b@u.edu\n', 2),
        ("address,id,email\n" + '"1 St\nUK"",2,a@u.edu\nx",3,b@u.edu\n', 2),
        ("id,email,notes,\n" + '2,a@u.edu,"x,\n3,b@u.edu,y",z\n', 2),
        ("id,email,notes\n" + '2,a@u.edu,"x,,y\n3,b@u.edu,z"\n', 2),
        ("id,email,dept\n" + '2,a@u.edu,"Law\n3,b@u.edu,""A, B"\n', 2),
        (HEAD + '2,a@u.edu,Ann,"Law\n3",b@u.edu,Bob,Law,x\n', 2),
        (HEAD + '2,a@u.edu,Ann,"A, B""\n3",b@u.edu,Bob,Law\n', 2),
        ("address,id,email\n" + '"1 St\nYork, UK"",2,a@u.edu\nx",3,b@u.edu\n', 2),
        ("address,id,email\n" + '"1 St\nYork, UK"",2,a@u.edu\nx,3",b@u.edu\n', 2),
        ("id,email,notes\n" + 'S2,a@u.edu,"x\n3,b@u.edu,y"\n', 2),
        ("id,email,notes\n" + 'S2,a@u.edu,"x\nS3,,y"\n', 2),
        ('id,email,"dept\n1,a@b.cd,X"\n2,a@b.cd,X\n', 1),
        ('"id","email","dept\n""1","a@b.cd","X"\n', 1),
        ('"Roll 2026\nid,email\n1,a@b.cd"\nid,email\n2,b@b.cd\n', 1),
        (HEAD + '2,a@u.edu,Ann,Law\n3,b@u.edu,Bob,"Law', 3),
    ],
)
def test_rows_that_a_mark_has_swallowed_are_never_a_cell(text: str, line: int) -> None:
    fault = fault_of(text.encode())
    assert fault.code is FileCode.UNCLOSED_QUOTE
    assert f"line {line:,} " in fault.message


@pytest.mark.parametrize(
    "cell",
    [
        *("May,\nAnn", "a@x.edu\nb@x.edu", "Tel 5,\n6, a@x.edu b@x.edu", 'He said "no", twice\n'),
        # Too few cells for a row, no id in the id column, no email address in its column.
        *("x\n2, b@u.edu", "x\nDad, b@u.edu, UK", "x\nFlat 2, b@u.edu, UK", "x\n2, Law, b@u.edu"),
    ],
)
def test_lines_that_are_no_rows_may_stand_in_a_cell(cell: str) -> None:
    text = text_of(("1", "a@u.edu", cell), labels=("id", "email", "notes"))
    assert rows_of(text.encode()) == [(2, ["1", "a@u.edu", cell])]


@pytest.mark.parametrize(
    "text",
    [
        'id,email,notes,\n2,a@u.edu,"x\ny",z\n',
        'id,email,dept\nann,a@u.edu,"Law\nPublic, Private, Civil"\n',
    ],
)
def test_a_row_of_several_lines_is_one_voter(text: str) -> None:
    assert [type(row) for row in results_by_line(text).values()] == [tuple]


@pytest.mark.parametrize(
    "name", ["Ann\n3,b@u.edu", "Ann, Jr.,a@u.edu\n3", "Ann,Law,x\n3,b@u.edu", "Ann\nx,3,b@u.edu"]
)
def test_a_name_with_an_email_and_an_id_makes_its_row_one_cell(name: str) -> None:
    text = text_of(("2", "a@u.edu", name, "Law"), ("4", "c@u.edu", "Cy", "Art"))
    swallowed, last = results_by_line(text).values()
    assert isinstance(swallowed, FaultyRow)
    assert [error.code for error in swallowed.errors] == ["COLUMN_COUNT"]
    assert isinstance(last, tuple)


def test_two_marks_more_swallow_no_voter() -> None:
    for honest in HONEST.values():
        voters = [row for row in results_by_line(honest).values() if isinstance(row, tuple)]
        for text in spoilt_twice(honest):
            try:
                results = results_by_line(text)
            except FileFault:
                continue
            saved = sum(isinstance(row, tuple) for row in results.values())
            rejected = sum(isinstance(row, FaultyRow) for row in results.values())
            assert saved + rejected >= len(voters), text


def test_blanks_behind_a_closing_mark_mean_nothing() -> None:
    assert rows_of(b'id,email,dept\n"1"  ,"a@u.edu" , "Law, Arts" \n') == [
        (2, ["1", "a@u.edu", "Law, Arts"])
    ]


def test_text_after_a_closing_quote_makes_only_its_line_one_cell() -> None:
    data = b'id,email,dept\n1,a@u.edu,"The "old" hall"\r\n2,b@u.edu,Law\n'
    assert rows_of(data) == [(2, ['1,a@u.edu,"The "old" hall"']), (3, ["2", "b@u.edu", "Law"])]
