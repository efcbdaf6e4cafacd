"""The history of the voters' entries: each change, and who made it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from peewee import Case, Expression, Field, Value, fn

from shared.database.sql import clock
from shared.roll_file.fields import CHANGEABLE, FIELDS
from shared.voters.models import Voter, VoterHistory


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes the roll, why, and by which import (if any)."""

    name: str
    reason: str = ""
    job_id: UUID | None = None


def note_entries(which: Expression, author: Author) -> None:
    """Copy entries of the roll into the history, before they change.

    `which` is a condition on `Voter`. The statement is one INSERT ... SELECT in the transaction
    that changes them.
    """
    entries = Voter.select(
        *(getattr(Voter, name) for name in FIELDS),
        clock(),
        Value(author.name),
        Value(author.reason),
        Value(author.job_id, converter=VoterHistory.job.db_value),
    ).where(which)
    fields = [
        *(getattr(VoterHistory, name) for name in FIELDS),
        VoterHistory.changed_at,
        VoterHistory.changed_by,
        VoterHistory.reason,
        VoterHistory.job,
    ]
    VoterHistory.insert_from(entries, fields).as_rowcount().execute()


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of a change."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a voter's entry: what, when (UTC, without a zone), by whom and why."""

    changed_at: datetime
    changed_by: str
    reason: str
    job: UUID | None
    differences: tuple[Difference, ...]


def count_changes(student_id: str) -> int:
    """Count the changes of the voter's entry."""
    return int(VoterHistory.select().where(VoterHistory.student_id == student_id).count())


def changes(student_id: str, first: int, limit: int) -> list[Change]:
    """Return the voter's changes, newest first, from number `first` on.

    A history row has the values before a change. The values after it are in the next history row,
    or in the roll. One statement reads all of it, so it sees a concurrent change completely or not
    at all.
    """
    columns = (VoterHistory.changed_at, VoterHistory.changed_by, VoterHistory.reason)
    before = [getattr(VoterHistory, name) for name in CHANGEABLE]
    query = (
        VoterHistory.select(*columns, VoterHistory.job, *before, *map(_after, CHANGEABLE))
        .join(Voter, on=(Voter.student_id == VoterHistory.student_id))
        .where(VoterHistory.student_id == student_id)
        .order_by(VoterHistory.id.desc())
        .offset(first)
        .limit(limit)
    )
    rows: Iterable[tuple[Any, ...]] = cast(Any, query.tuples())
    return [_change(*row) for row in rows]


def _change(
    changed_at: datetime, changed_by: str, reason: str, job: UUID | None, *entries: Any
) -> Change:
    before, after = entries[: len(CHANGEABLE)], entries[len(CHANGEABLE) :]
    return Change(changed_at, changed_by, reason, job, tuple(_differences(before, after)))


def _after(name: str) -> Any:
    field: Field = getattr(VoterHistory, name)
    next_value = fn.LEAD(field).over(order_by=[VoterHistory.id])
    is_newest = fn.LEAD(VoterHistory.id).over(order_by=[VoterHistory.id]).is_null()
    return Case(None, ((is_newest, getattr(Voter, name)),), next_value).converter(
        field.python_value
    )


def _differences(before: tuple[Any, ...], after: tuple[Any, ...]) -> Iterator[Difference]:
    for name, old, new in zip(CHANGEABLE, before, after, strict=True):
        if old != new:
            yield Difference(name, old, new)
