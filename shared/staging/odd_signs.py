"""Find signs: oddities of a file to check before an election, although every row is good.

A few aggregates over the staged rows find them, before the roll changes.
"""

from collections.abc import Iterator
from typing import NamedTuple

from peewee import fn

from shared.database.connection import database
from shared.roll_file.errors import SignCode
from shared.staging.tables import StagedVoter
from shared.voters.models import Voter

MIN_ROWS = 20
USUAL_SHARE = 0.9
INELIGIBLE_SHARE = 0.9
SMALL_ROLL_SHARE = 0.5

Sign = tuple[SignCode, str]


def odd_signs() -> list[Sign]:
    """Return the signs of the staged rows, each with a sentence. A tiny file has none."""
    totals = _totals()
    if totals.staged_count < MIN_ROWS:
        return []
    return [
        *(_id_lengths(totals.staged_count) if totals.shortest_id != totals.longest_id else ()),
        *_ineligible(totals.stated_count, totals.eligible),
        *_one_department(totals.departments, totals.first == totals.last),
        *_small_roll(totals.staged_count),
    ]


class _Totals(NamedTuple):
    """All that one pass over the rows can show."""

    staged_count: int
    stated_count: int
    eligible: int
    departments: int
    first: str | None
    last: str | None
    shortest_id: int
    longest_id: int


def _totals() -> _Totals:
    length = fn.LENGTH(StagedVoter.student_id)
    columns = (
        fn.COUNT(StagedVoter.line),
        fn.COUNT(StagedVoter.is_eligible),
        fn.COALESCE(fn.SUM(StagedVoter.is_eligible.cast("INTEGER")), 0),
        fn.COUNT(StagedVoter.department),
        fn.MIN(StagedVoter.department),
        fn.MAX(StagedVoter.department),
        fn.MIN(length),
        fn.MAX(length),
    )
    return _Totals._make(database.execute(StagedVoter.select(*columns)).fetchone())


def _id_lengths(voter_count: int) -> Iterator[Sign]:
    length = fn.LENGTH(StagedVoter.student_id)
    query = StagedVoter.select(length, fn.COUNT(StagedVoter.student_id)).group_by(length)
    counts = dict(database.execute(query).fetchall())
    usual = max(counts, key=lambda chars: counts[chars])
    others = voter_count - counts[usual]
    if others and counts[usual] >= USUAL_SHARE * voter_count:
        message = (
            f"{others:,} of {voter_count:,} student ids do not have {usual} characters as the"
            " others do. Leading zeros may be lost."
        )
        yield SignCode.ID_LENGTHS, message


def _ineligible(voter_count: int, eligible: int) -> Iterator[Sign]:
    if voter_count >= MIN_ROWS and voter_count - eligible > INELIGIBLE_SHARE * voter_count:
        yield (
            SignCode.MOSTLY_INELIGIBLE,
            f"{voter_count - eligible:,} of {voter_count:,} voters are not eligible.",
        )


def _one_department(voter_count: int, is_one: bool) -> Iterator[Sign]:
    if voter_count >= MIN_ROWS and is_one:
        yield SignCode.ONE_DEPARTMENT, "All voters of the file are of one department."


def _small_roll(voter_count: int) -> Iterator[Sign]:
    present = int(Voter.select(fn.COUNT(Voter.student_id)).scalar())
    if present >= MIN_ROWS and voter_count < SMALL_ROLL_SHARE * present:
        message = (
            f"The file has {voter_count:,} voters and the roll {present:,}. Voters who are not"
            " in the file stay on the roll."
        )
        yield SignCode.SMALL_ROLL, message
