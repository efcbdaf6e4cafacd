"""Compare the staged rows with each other and with the roll, then apply them: set-based SQL.

The same queries run on PostgreSQL and SQLite.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce
from operator import or_

from peewee import JOIN, SQL, Case, Expression, Function, Value, fn

from shared.database import database, is_postgresql, stream
from shared.voters.history import Author, note_entries
from shared.voters.models import RejectedRow, RepeatedId, StagedVoter, Voter
from shared.voters.roll import note_roll_changed

OPTIONAL = ("first_name", "last_name", "department", "year", "is_eligible")
COMPARED = ("email", *OPTIONAL)
ALL_ROWS = fn.COUNT(SQL("*"))
NEW_VOTER_DEFAULTS = {"first_name": "", "last_name": "", "department": "", "is_eligible": False}

_REPEATED = (
    RepeatedId.student_id,
    RepeatedId.first_line,
    RepeatedId.row_count,
    RepeatedId.is_conflict,
)


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


def count_missing() -> dict[str, int]:
    """Staged rows that state nothing for a field, by field; fields without such rows left out."""
    missing = (ALL_ROWS - fn.COUNT(getattr(StagedVoter, name)) for name in OPTIONAL)
    counts = database.execute(StagedVoter.select(*missing)).fetchone()
    return {name: int(count) for name, count in zip(OPTIONAL, counts, strict=True) if count}


def find_repeats() -> None:
    """List the ids that stand in several rows, and whether their rows contradict each other.

    Steps of their own, because the first must look at every row and comparing the values of each
    id would make it several times slower.
    """
    several = (
        StagedVoter.select(StagedVoter.student_id, fn.MIN(StagedVoter.line), ALL_ROWS, Value(False))
        .group_by(StagedVoter.student_id)
        .having(ALL_ROWS > 1)
    )
    with _grouping_by_sorting():
        RepeatedId.insert_from(several, _REPEATED).as_rowcount().execute()
    contradicted = (
        StagedVoter.select(StagedVoter.student_id)
        .where(StagedVoter.student_id.in_(RepeatedId.select(RepeatedId.student_id)))
        .group_by(StagedVoter.student_id)
        .having(reduce(or_, (_differs_within_group(name) for name in COMPARED)))
    )
    RepeatedId.update(is_conflict=True).where(RepeatedId.student_id.in_(contradicted)).execute()
    if RejectedRow.select().exists():
        _find_contradicting_rejects()


def _find_contradicting_rejects() -> None:
    """Rejected rows count where they can be read. One row stands for the good rows of an id: if
    these are not all alike, they are in conflict already."""
    rejected = RejectedRow.select(RejectedRow.student_id)
    beside_rejected = (
        StagedVoter.select(StagedVoter.student_id, fn.MIN(StagedVoter.line), ALL_ROWS, Value(False))
        .where(StagedVoter.student_id.in_(rejected))
        .group_by(StagedVoter.student_id)
    )
    RepeatedId.insert_from(beside_rejected, _REPEATED).on_conflict_ignore().as_rowcount().execute()
    contradicted = (
        RejectedRow.select(RejectedRow.student_id)
        .join(RepeatedId, on=(RepeatedId.student_id == RejectedRow.student_id))
        .join(StagedVoter, on=(StagedVoter.line == RepeatedId.first_line))
        .where(reduce(or_, map(_is_contradicted, COMPARED)))
    )
    RepeatedId.update(is_conflict=True).where(RepeatedId.student_id.in_(contradicted)).execute()


def _is_contradicted(name: str) -> Expression:
    """The rejected row states a value, and the good row another one or none."""
    good, rejected = getattr(StagedVoter, name), getattr(RejectedRow, name)
    contradicted: Expression = rejected.is_null(False) & (good.is_null() | (good != rejected))
    return contradicted


def _differs_within_group(name: str) -> Expression:
    """Several values, or a value in some rows and none in others."""
    field = getattr(StagedVoter, name)
    differs: Expression = (fn.COUNT(field.distinct()) > 1) | fn.COUNT(field).between(
        1, ALL_ROWS - 1
    )
    return differs


def conflicting_rows() -> Iterator[tuple[str, int, bool]]:
    """Student id, line, and whether it is a good row, of every row of an id whose rows contradict
    each other; by id and line, streamed."""
    good, rejected = (
        model.select(model.student_id, model.line, Value(is_good))
        .join(RepeatedId, on=(RepeatedId.student_id == model.student_id))
        .where(RepeatedId.is_conflict)
        for model, is_good in ((StagedVoter, True), (RejectedRow, False))
    )
    return stream((good + rejected).order_by(SQL("1"), SQL("2")))


def drop_conflicting() -> int:
    """Take every row of a contradicted id out of the staging table; returns how many rows."""
    conflicts = RepeatedId.select(RepeatedId.student_id).where(RepeatedId.is_conflict)
    if not conflicts.exists():
        return 0
    return int(StagedVoter.delete().where(StagedVoter.student_id.in_(conflicts)).execute())


def drop_repeated() -> int:
    """Keep the first of identical rows; returns how many rows went."""
    if not RepeatedId.select().exists():
        return 0
    earlier = RepeatedId.select().where(
        (RepeatedId.student_id == StagedVoter.student_id)
        & (RepeatedId.first_line < StagedVoter.line)
    )
    return int(StagedVoter.delete().where(fn.EXISTS(earlier)).execute())


def count_shared_emails() -> int:
    """Staged rows whose e-mail address another student id in the file has as well."""
    shared = (
        StagedVoter.select(ALL_ROWS.alias("voters"))
        .group_by(fn.LOWER(StagedVoter.email))
        .having(ALL_ROWS > 1)
        .alias("shared")
    )
    with _grouping_by_sorting():
        total = StagedVoter.select(fn.SUM(shared.c.voters)).from_(shared).scalar()
    return int(total or 0)


@contextmanager
def _grouping_by_sorting() -> Iterator[None]:
    """Groups as many as rows overflow a hash table, and a roll comes sorted or nearly so: sorting
    took 0.6 of the time of PostgreSQL's own choice for a million rows, and 1.1 if they were
    shuffled."""
    if not is_postgresql():
        yield
        return
    database.execute_sql("SET enable_hashagg = off")
    yield
    database.execute_sql("RESET enable_hashagg")


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
