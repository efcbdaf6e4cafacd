"""The stored counts of the roll equal those of a new count, on both databases."""

from dataclasses import replace

import pytest

from shared.database.connection import database
from shared.database.sql import stream
from shared.roll_file.rows.validation import StagedRow
from shared.staging import load, merge, repeats
from shared.voters.counts import count_groups, kept_groups
from shared.voters.editing import edit
from shared.voters.history import Author
from shared.voters.models import RollGroup, Voter
from shared.voters.queries import VoterFilter, total
from shared.voters.roll import lock_roll, note_roll_changed
from shared.voters.summary import Group, Summary, summarise

pytestmark = pytest.mark.usefixtures("any_database")

ANN: StagedRow = (2, "1", "Ann", "Lee", "ann@x.edu", "Law", 3, True)
BEN: StagedRow = (3, "2", "Ben", "Ray", "ben@x.edu", "Law", 3, False)
BARE: StagedRow = (4, "3", None, None, "cy@x.edu", None, None, None)
FIRST = Summary(
    voters=3,
    eligible=1,
    departments=2,
    by_department=[Group("Law", 2, 1), Group("", 1, 0)],
    by_year=[Group(3, 2, 1), Group(None, 1, 0)],
)


def import_rows(*rows: StagedRow) -> None:
    load.begin_staging()
    load.stage(iter(rows))
    load.analyze_staging()
    repeats.find_repeats()
    with database.atomic():
        lock_roll()
        merge.apply(Author("tests"))


def kept_rows() -> list[tuple[object, ...]]:
    return sorted(stream(kept_groups()), key=str)


def counted() -> list[tuple[object, ...]]:
    return sorted(stream(count_groups()), key=str)


def test_each_import_updates_the_counts_of_the_roll() -> None:
    import_rows(ANN, BEN, BARE)
    assert kept_rows() == counted() != []
    assert summarise() == FIRST
    import_rows((2, "2", None, None, "ben@x.edu", "Art", 1, True))
    assert kept_rows() == counted()
    assert [group.name for group in summarise().by_department] == ["", "Art", "Law"]


@pytest.mark.parametrize(
    "changes",
    [
        {"department": "Art"},
        {"department": ""},
        {"year": None},
        {"year": 4, "is_eligible": False},
        {"first_name": "Anna"},
        {"department": "", "year": None, "is_eligible": False},
    ],
)
def test_each_correction_moves_one_voter_in_the_counts(changes: dict[str, object]) -> None:
    import_rows(ANN, BEN, BARE)
    before = kept_rows()
    for student_id in ("1", "2", "3"):
        edit(student_id, changes, author=Author("tests"))
        assert kept_rows() == counted() != []
    assert (kept_rows() == before) == ("first_name" in changes)


def test_the_roll_is_shown_without_counting_it() -> None:
    import_rows(ANN, BEN, BARE)
    RollGroup.update(voters=RollGroup.voters + 10).where(RollGroup.department == "Law").execute()
    assert summarise() == replace(
        FIRST,
        voters=13,
        by_department=[Group("Law", 12, 1), Group("", 1, 0)],
        by_year=[Group(3, 12, 1), Group(None, 1, 0)],
    )


@pytest.mark.parametrize(
    ("voter_filter", "count"),
    [
        (VoterFilter(), 13),
        (VoterFilter(department="Law"), 12),
        (VoterFilter(department=""), 1),
        (VoterFilter(department="Art"), 0),
        (VoterFilter(year=3, is_eligible=True), 1),
        (VoterFilter(year=3, is_eligible=False), 11),
        # These filters need a query of the voters.
        (VoterFilter(q="ann"), 1),
        (VoterFilter(student_id="2"), 1),
    ],
)
def test_the_number_of_pages_needs_no_counting_of_the_roll(
    voter_filter: VoterFilter, count: int
) -> None:
    import_rows(ANN, BEN, BARE)
    RollGroup.update(voters=RollGroup.voters + 10).where(RollGroup.department == "Law").execute()
    assert total(voter_filter) == count


def test_outdated_counts_are_not_shown() -> None:
    import_rows(ANN, BEN)
    # As an earlier release does it, which does not update the counts.
    with database.atomic():
        Voter.delete().where(Voter.student_id == "2").execute()
        note_roll_changed()
    assert summarise().voters == total(VoterFilter(department="Law")) == 1
    edit("1", {"year": 5}, author=Author("tests"))
    assert kept_rows() == []
    assert summarise().by_year == [Group(5, 1, 1)]
    import_rows(BARE)
    assert kept_rows() == counted() != []
