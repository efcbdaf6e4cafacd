"""Compare the staged rows with the roll, then apply them: set-based SQL.

The same queries run on PostgreSQL and SQLite.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from peewee import JOIN, SQL, Case, Expression, Function, fn

from shared.database.connection import database, is_postgresql
from shared.staging.tables import RepeatedId, StagedVoter
from shared.voters.counts import recount
from shared.voters.history import Author, note_entries
from shared.voters.models import COMPARED, Voter
from shared.voters.roll import note_roll_changed

ALL_ROWS = fn.COUNT(SQL("*"))
NEW_VOTER_DEFAULTS = {"first_name": "", "last_name": "", "department": "", "is_eligible": False}


class Mode(StrEnum):
    """Which voters an import may write."""

    UPSERT = "upsert"
    CREATE_ONLY = "create_only"
    UPDATE_ONLY = "update_only"


@dataclass(frozen=True, slots=True)
class Counts:
    """Voters by what the import does to them, each once.

    `not_created` and `not_updated` are rows, the repeated ones as well, whose voters are among the
    unchanged because the mode has left them as they are.
    Among the updated are those whose eligibility is turned on or off.
    """

    created: int
    updated: int
    unchanged: int
    not_created: int = 0
    not_updated: int = 0
    eligibility_on: int = 0
    eligibility_off: int = 0


def compare(mode: Mode = Mode.UPSERT) -> Counts:
    """What `apply` would do now, found out without doing it: one look at roll and file."""
    is_new = Voter.student_id.is_null()
    is_changed = ~is_new & differs()
    columns = (
        ALL_ROWS,
        _count(is_new),
        _count(is_changed),
        # Of a voter who is new, and of a row that states nothing, these are neither true nor false.
        _count(StagedVoter.is_eligible & ~Voter.is_eligible),
        _count(~StagedVoter.is_eligible & Voter.is_eligible),
    )
    query = StagedVoter.select(*columns).join(
        Voter, JOIN.LEFT_OUTER, on=(Voter.student_id == StagedVoter.student_id)
    )
    staged, new, changed, turned_on, turned_off = map(int, database.execute(query).fetchone())
    created = 0 if mode is Mode.UPDATE_ONLY else new
    updated = 0 if mode is Mode.CREATE_ONLY else changed
    not_created, not_updated = new - created, changed - updated
    return Counts(
        created=created,
        updated=updated,
        unchanged=staged - created - updated,
        not_created=not_created and not_created + _count_repeats(is_new),
        not_updated=not_updated and not_updated + _count_repeats(is_changed),
        eligibility_on=turned_on if updated else 0,
        eligibility_off=turned_off if updated else 0,
    )


def _count_repeats(condition: Expression) -> int:
    """How often rows that are kept were repeated."""
    query = (
        StagedVoter.select(fn.SUM(RepeatedId.row_count - 1))
        .join(RepeatedId, on=(RepeatedId.student_id == StagedVoter.student_id))
        .join(Voter, JOIN.LEFT_OUTER, on=(Voter.student_id == StagedVoter.student_id))
        .where(condition)
    )
    return int(query.scalar() or 0)


def _count(condition: Expression) -> Function:
    return fn.COUNT(Case(None, ((condition, 1),)))


def apply(author: Author, mode: Mode = Mode.UPSERT) -> Counts:
    """Bring the roll to what the staged rows state, in the transaction of `roll.lock_roll`.

    Changed voters are updated, after their history has got the entries as they were; new ones are
    inserted in the order of their ids; a voter whose row states nothing new is not written.
    """
    if is_postgresql():
        # The planner may know the roll as it was before an import that ended a moment ago.
        database.execute_sql("ANALYZE voter")
    counts = compare(mode)
    updated = _update_changed(author) if counts.updated else 0
    created = _insert_new() if counts.created else 0
    if (created, updated) != (counts.created, counts.updated):
        raise ValueError(f"{counts} were found, {created} created and {updated} updated")
    if created or updated:
        note_roll_changed()
        recount()
    return counts


def _update_changed(author: Author) -> int:
    changed = (
        StagedVoter.select(StagedVoter.student_id)
        .join(Voter, on=(Voter.student_id == StagedVoter.student_id))
        .where(differs())
    )
    note_entries(Voter.student_id.in_(changed), author)
    stated = {
        getattr(Voter, name): fn.COALESCE(getattr(StagedVoter, name), getattr(Voter, name))
        for name in COMPARED
    }
    query = (
        Voter.update(stated)
        .from_(StagedVoter)
        .where((Voter.student_id == StagedVoter.student_id) & differs())
    )
    return int(query.execute())


def differs() -> Expression:
    """The row states a value that the roll does not have for this voter."""
    changed = reduce(
        or_,
        (getattr(StagedVoter, name) != getattr(Voter, name) for name in COMPARED if name != "year"),
    )
    # The roll may have no year yet; a comparison with NULL would be neither true nor false.
    year = StagedVoter.year.is_null(False) & (
        Voter.year.is_null() | (Voter.year != StagedVoter.year)
    )
    combined: Expression = changed | year
    return combined


def _insert_new() -> int:
    """In the order of the key, which makes the index grow at its end. The sort also has the whole
    comparison done before the first row is inserted: without it, on a roll that was known to be
    empty, PostgreSQL was still looking through the rows it had just inserted after ten minutes."""
    columns = [
        StagedVoter.student_id,
        *(
            fn.COALESCE(getattr(StagedVoter, name), NEW_VOTER_DEFAULTS[name])
            if name in NEW_VOTER_DEFAULTS
            else getattr(StagedVoter, name)
            for name in COMPARED
        ),
    ]
    fields = [Voter.student_id, *(getattr(Voter, name) for name in COMPARED)]
    query = (
        StagedVoter.select(*columns)
        .join(Voter, JOIN.LEFT_OUTER, on=(Voter.student_id == StagedVoter.student_id))
        .where(Voter.student_id.is_null())
        .order_by(StagedVoter.student_id)
    )
    return int(Voter.insert_from(query, fields).as_rowcount().execute())
