"""Compare the staged rows with the roll and apply them, by set-based SQL.

The same queries run on PostgreSQL and SQLite.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from peewee import JOIN, SQL, Case, Expression, Field, Function, Node, fn

from shared.database.connection import database, is_postgresql
from shared.roll_file.fields import CHANGEABLE
from shared.staging.tables import RepeatedId, StagedVoter
from shared.voters.counts import recount
from shared.voters.history import Author, note_entries
from shared.voters.models import Voter, empty_value
from shared.voters.roll import note_roll_changed

ALL_ROWS = fn.COUNT(SQL("*"))


class Mode(StrEnum):
    """Which voters an import may write."""

    UPSERT = "upsert"
    CREATE_ONLY = "create_only"
    UPDATE_ONLY = "update_only"


@dataclass(frozen=True, slots=True)
class Counts:
    """Counts of voters by what the import does to them. Each voter counts once.

    `not_created` and `not_updated` count rows, including repeated ones. Their voters are among the
    unchanged, because the mode leaves them as they are. `eligibility_on` and `eligibility_off` are
    updated voters whose eligibility changes.
    """

    created: int
    updated: int
    unchanged: int
    not_created: int = 0
    not_updated: int = 0
    eligibility_on: int = 0
    eligibility_off: int = 0


def compare(mode: Mode = Mode.UPSERT) -> Counts:
    """Return what `apply` would do now, without doing it, in one pass over roll and file."""
    is_new = Voter.student_id.is_null()
    is_changed = ~is_new & differs()
    columns = (
        ALL_ROWS,
        _count(is_new),
        _count(is_changed),
        # These are NULL for a new voter, and for a row that states no eligibility.
        _count(StagedVoter.is_eligible & ~Voter.is_eligible),
        _count(~StagedVoter.is_eligible & Voter.is_eligible),
    )
    query = StagedVoter.select(*columns).join(
        Voter, JOIN.LEFT_OUTER, on=(Voter.student_id == StagedVoter.student_id)
    )
    voter_count, new_count, change_count, turned_on, turned_off = map(
        int, database.execute(query).fetchone()
    )
    created = 0 if mode is Mode.UPDATE_ONLY else new_count
    updated = 0 if mode is Mode.CREATE_ONLY else change_count
    return Counts(
        created=created,
        updated=updated,
        unchanged=voter_count - created - updated,
        not_created=_count_rows(new_count - created, is_new),
        not_updated=_count_rows(change_count - updated, is_changed),
        eligibility_on=turned_on if updated else 0,
        eligibility_off=turned_off if updated else 0,
    )


def _count_rows(voters: int, condition: Expression) -> int:
    """Count the rows of this many voters, who meet the condition, with the repeated rows."""
    return voters + _count_repeats(condition) if voters else 0


def _count_repeats(condition: Expression) -> int:
    """Count the repetitions of the rows that meet the condition."""
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
    """Apply the staged rows to the roll, in the transaction of `roll.lock_roll`.

    Updates a changed voter after its old entry is copied into the history. Inserts new voters in
    the order of their ids. Does not write a voter whose row states nothing new.
    """
    if is_postgresql():
        # The planner's statistics may date from before an import that ended a moment ago.
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
    keys = (
        StagedVoter.select(StagedVoter.student_id)
        .join(Voter, on=(Voter.student_id == StagedVoter.student_id))
        .where(differs())
    )
    note_entries(Voter.student_id.in_(keys), author)
    values = {
        getattr(Voter, name): fn.COALESCE(getattr(StagedVoter, name), getattr(Voter, name))
        for name in CHANGEABLE
    }
    query = (
        Voter.update(values)
        .from_(StagedVoter)
        .where((Voter.student_id == StagedVoter.student_id) & differs())
    )
    return int(query.execute())


def differs() -> Expression:
    """Return the condition that the row states a value which the roll does not have."""
    is_other = reduce(
        or_,
        (
            getattr(StagedVoter, name) != getattr(Voter, name)
            for name in CHANGEABLE
            if name != "year"
        ),
    )
    # The roll may have no year yet, and a comparison with NULL is neither true nor false.
    year = StagedVoter.year.is_null(False) & (
        Voter.year.is_null() | (Voter.year != StagedVoter.year)
    )
    condition: Expression = is_other | year
    return condition


def _insert_new() -> int:
    """Insert the new voters in the order of the key, so the index grows at its end.

    The sort also makes PostgreSQL finish the whole comparison before it inserts the first row.
    Without it, on a roll known to be empty, PostgreSQL was still scanning the rows just inserted
    after ten minutes.
    """
    columns = [StagedVoter.student_id, *map(_value_of_new_voter, CHANGEABLE)]
    fields = [Voter.student_id, *(getattr(Voter, name) for name in CHANGEABLE)]
    query = (
        StagedVoter.select(*columns)
        .join(Voter, JOIN.LEFT_OUTER, on=(Voter.student_id == StagedVoter.student_id))
        .where(Voter.student_id.is_null())
        .order_by(StagedVoter.student_id)
    )
    return int(Voter.insert_from(query, fields).as_rowcount().execute())


def _value_of_new_voter(name: str) -> Node:
    field: Field = getattr(StagedVoter, name)
    value = empty_value(name)
    return field if value is None else fn.COALESCE(field, value)
