"""The merge (stage, compare, apply) on SQLite and PostgreSQL: from rows to roll and counts."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.database.connection import database
from shared.database.sql import stream
from shared.roll_file.rows.validation import StagedRow
from shared.staging import load, merge, repeats
from shared.staging.conflicts import conflict_faults, note_conflicts
from shared.staging.merge import Counts
from shared.staging.tables import StagedVoter
from shared.voters.history import Author
from shared.voters.models import Voter
from shared.voters.roll import lock_roll

pytestmark = pytest.mark.usefixtures("any_database")

ANN: StagedRow = (2, "1", "Ann", "Lee", "ann@x.edu", "Law", 3, True)
BEN: StagedRow = (3, "2", "Ben", "Ray", "ben@x.edu", "Art", 1, False)
BARE: StagedRow = (4, "3", None, None, "cy@x.edu", None, None, None)


def stage(*rows: StagedRow) -> None:
    load.begin_staging()
    assert load.stage(iter(rows)) == len(rows)
    load.analyze_staging()
    repeats.find_repeats()


def apply() -> Counts:
    with database.atomic():
        lock_roll()
        return merge.apply(Author("tests"))


def roll() -> list[tuple[object, ...]]:
    return sorted(stream(Voter.select()))


def test_new_voters_get_blank_defaults_for_absent_cells() -> None:
    """Text becomes empty, the year stays unknown, and the voter is not eligible."""
    stage(ANN, BARE)
    assert apply() == Counts(created=2, updated=0, unchanged=0)
    assert roll() == [
        ("1", "Ann", "Lee", "ann@x.edu", "Law", 3, True),
        ("3", "", "", "cy@x.edu", "", None, False),
    ]


def test_a_silent_cell_keeps_what_the_roll_has() -> None:
    stage(ANN)
    apply()
    stage((2, "1", None, None, "ann@x.edu", None, None, None))
    assert apply() == Counts(created=0, updated=0, unchanged=1)
    assert roll() == [("1", "Ann", "Lee", "ann@x.edu", "Law", 3, True)]


@pytest.mark.parametrize(
    ("position", "value"),
    [(2, "Anna"), (3, "Leigh"), (4, "ann@y.edu"), (5, "Art"), (6, 4), (7, False)],
)
def test_one_other_value_makes_an_update_of_that_value_alone(position: int, value: object) -> None:
    stage(ANN, BEN)
    apply()
    changed: Any = (*ANN[:position], value, *ANN[position + 1 :])
    stage(changed, BEN)
    counts = Counts(created=0, updated=1, unchanged=1, eligibility_off=int(position == 7))
    assert merge.compare() == counts
    assert apply() == counts
    assert roll() == [changed[1:], BEN[1:]]


def test_a_first_year_is_a_change_from_none() -> None:
    stage(BARE)
    apply()
    stage((2, "3", None, None, "cy@x.edu", None, 2, None))
    assert apply().updated == 1


def test_comparing_changes_nothing() -> None:
    stage(ANN, BEN)
    assert merge.compare() == Counts(created=2, updated=0, unchanged=0)
    assert roll() == []


def test_identical_rows_are_one_voter() -> None:
    stage(ANN, (9, *ANN[1:]), (12, *ANN[1:]))
    note_conflicts("Student ID")
    assert list(conflict_faults("Student ID")) == []
    assert (repeats.drop_conflicting(), repeats.drop_repeated()) == (0, 2)
    assert [row.line for row in StagedVoter.select()] == [2]


@pytest.mark.parametrize(
    "other",
    [
        (9, "1", "Anna", "Lee", "ann@x.edu", "Law", 3, True),
        (9, "1", "Ann", "Lee", "ann@y.edu", "Law", 3, True),
        (9, "1", "Ann", "Lee", "ann@x.edu", "Law", 4, True),
        (9, "1", "Ann", "Lee", "ann@x.edu", "Law", 3, False),
        (9, "1", "Ann", "Lee", "ann@x.edu", None, 3, True),
    ],
)
def test_contradicting_rows_are_all_dropped_and_name_each_other(other: StagedRow) -> None:
    stage(ANN, BEN, other, (11, *ANN[1:]))
    note_conflicts("Student ID")
    errors = list(conflict_faults("Student ID"))
    assert [(error.line, error.column, error.value) for error in errors] == [
        (line, "Student ID", "1") for line in (2, 9, 11)
    ]
    assert "9" in errors[0].message
    assert "11" in errors[0].message
    assert (repeats.drop_conflicting(), repeats.drop_repeated()) == (3, 0)
    assert apply() == Counts(created=1, updated=0, unchanged=0)


def test_a_conflict_of_very_many_rows_names_ten_lines_each() -> None:
    many: Iterator[StagedRow] = (
        (line, "1", str(line), None, "a@x.edu", None, None, None) for line in range(2, 5002)
    )
    load.begin_staging()
    load.stage(many)
    repeats.find_repeats()
    note_conflicts("ID")
    errors = list(conflict_faults("ID"))
    assert len(errors) == 5000
    assert max(len(error.message) for error in errors) < 300


def test_missing_fields_are_counted_by_field() -> None:
    stage(ANN, BARE, (5, "4", None, "Z", "d@x.edu", "Law", None, True))
    assert repeats.count_missing() == {
        "first_name": 2,
        "last_name": 1,
        "department": 1,
        "year": 2,
        "is_eligible": 1,
    }


def test_an_email_of_two_ids_counts_both_rows_ignoring_case() -> None:
    stage(ANN, (3, "2", None, None, "ANN@x.edu", None, None, None), BARE)
    assert repeats.count_shared_emails() == 2


def test_awkward_text_arrives_as_it_is() -> None:
    text = "a\tb\nc\\N\"'\r,;\u00a0é\U0001f600"
    stage((2, "1", text, "", "a@x.edu", text, None, None))
    apply()
    assert roll() == [("1", text, "", "a@x.edu", text, None, False)]


def test_an_error_in_the_row_source_is_raised_and_stages_nothing() -> None:
    def rows() -> Iterator[StagedRow]:
        yield ANN
        raise LookupError("made up")

    load.begin_staging()
    with pytest.raises(LookupError, match="made up"):
        load.stage(rows())
    assert StagedVoter.select().count() == 0


def test_each_attempt_on_a_connection_starts_with_empty_tables() -> None:
    stage(ANN, BEN)
    stage(BARE)
    assert StagedVoter.select().count() == 1
