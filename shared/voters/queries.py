"""Find the voters for a list, a search or an export, in order, and count them.

The roll has no index except its key. An index for each order makes the insert of new voters take
five times as long. Without one, a page by cursor takes a fraction of a second at a million voters
(docs/performance.md).
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from peewee import Database, Expression, Field, ModelSelect, Ordering, fn

from shared.database.connection import database, is_postgresql
from shared.voters.counts import kept_count
from shared.voters.models import Voter
from shared.voters.roll import roll_version

SORTABLE: dict[str, Field] = {
    "student_id": Voter.student_id,
    "last_name": Voter.last_name,
    "department": Voter.department,
    "year": Voter.year,
}
SORTS = tuple(sign + name for name in SORTABLE for sign in ("", "-"))
# From this row on, the keys of a page are looked up before its rows, because whole rows are slow to
# sort. SQLite took 16 s to skip a million sorted rows, and 1.4 s to number them.
DEEP_ROWS = 10_000
TOTALS_KEPT = 256

Voters = list[Voter]
Conditions = list[Expression]


@dataclass(frozen=True, slots=True)
class VoterFilter:
    """The filters of a search: values of a voter's fields, where None means any.

    `q` is part of an id, a name or an email address.
    """

    q: str = ""
    student_id: str | None = None
    department: str | None = None
    year: int | None = None
    is_eligible: bool | None = None

    def conditions(self) -> Conditions:
        """Return the conditions of the query, none for the whole roll."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        text = values.pop("q")
        conditions = [
            getattr(Voter, name) == value for name, value in values.items() if value is not None
        ]
        return [*conditions, _contains(text)] if text else conditions


@dataclass(frozen=True, slots=True)
class Place:
    """The end of a page: the last voter's value in the sort field, and the id."""

    value: str | int | None
    student_id: str


def voters_after(voter_filter: VoterFilter, sort: str, place: Place | None, limit: int) -> Voters:
    """Return the voters that follow a place, or the first ones if it is None.

    The last page is as fast as the first. It takes at most one pass over the roll, and none if
    sorted by id.
    """
    conditions = voter_filter.conditions()
    if place is not None:
        conditions.append(_follows(sort, place))
    return list(_where(Voter.select(), conditions).order_by(*_order(sort)).limit(limit))


def voters_at(voter_filter: VoterFilter, sort: str, first: int, limit: int) -> Voters:
    """Return the voters from number `first` on, counted from 0. Skips over all those before."""
    query = _where(Voter.select(), voter_filter.conditions())
    if first < DEEP_ROWS or _name(sort) == "student_id":
        return list(query.order_by(*_order(sort)).offset(first).limit(limit))
    keys = _keys_at if is_postgresql() else _numbered_keys_at
    deep = Voter.select().where(Voter.student_id.in_(keys(voter_filter, sort, first, limit)))
    return list(deep.order_by(*_order(sort)))


def _keys_at(voter_filter: VoterFilter, sort: str, first: int, limit: int) -> "ModelSelect[Any]":
    query = _where(Voter.select(Voter.student_id), voter_filter.conditions())
    return query.order_by(*_order(sort)).offset(first).limit(limit)


def _numbered_keys_at(
    voter_filter: VoterFilter, sort: str, first: int, limit: int
) -> "ModelSelect[Any]":
    number = fn.ROW_NUMBER().over(order_by=_order(sort)).alias("number")
    keys = _where(Voter.select(Voter.student_id, number), voter_filter.conditions()).alias(
        "numbered"
    )
    return (
        Voter.select(keys.c.student_id)
        .from_(keys)
        .where(keys.c.number.between(first + 1, first + limit))
    )


def place_of(voter: Voter, sort: str) -> Place:
    """Return the place after a voter."""
    return Place(getattr(voter, _name(sort)), voter.student_id)


def total(voter_filter: VoterFilter) -> int:
    """Return the number of matching voters, counted once per version of the roll and cached."""
    version = roll_version()
    # Before its first counted change, a roll has no version to use as a cache key.
    return (
        _count_of_version(database.obj, version, voter_filter) if version else _count(voter_filter)
    )


@lru_cache(maxsize=TOTALS_KEPT)
def _count_of_version(_: Database, version: int, voter_filter: VoterFilter) -> int:
    return _count(voter_filter)


def _count(voter_filter: VoterFilter) -> int:
    if not voter_filter.q and voter_filter.student_id is None:
        count = kept_count(voter_filter.department, voter_filter.year, voter_filter.is_eligible)
        if count is not None:
            return count
    return int(_where(Voter.select(), voter_filter.conditions()).count())


def rows_in_order(voter_filter: VoterFilter) -> "ModelSelect[Any]":
    """Return a query for the seven fields of the matching voters, by id."""
    return _where(Voter.select(), voter_filter.conditions()).order_by(Voter.student_id)


def _where(query: "ModelSelect[Any]", conditions: Conditions) -> "ModelSelect[Any]":
    return query.where(*conditions) if conditions else query


def _contains(text: str) -> Expression:
    """Return the condition that a voter's texts contain this text in any case.

    The database folds both sides, so they are folded alike.
    """
    position = fn.STRPOS if is_postgresql() else fn.INSTR
    condition: Expression = position(fn.LOWER(_all_text()), fn.LOWER(text)) > 0
    return condition


def _all_text() -> Expression:
    # The key's bytewise collation would override that of the others, and it folds only ASCII.
    student_id = Voter.student_id.collate('"default"') if is_postgresql() else Voter.student_id
    text: Any = Voter.first_name
    for part in (Voter.last_name, Voter.email, student_id):
        text = text.concat(" ").concat(part)
    whole: Expression = text
    return whole


def _name(sort: str) -> str:
    return sort.removeprefix("-")


def _order(sort: str) -> tuple[Ordering, ...]:
    field = SORTABLE[_name(sort)]
    # The databases put an unknown year in different places. Stating the place for a field that is
    # never null would prevent PostgreSQL from reading the key's index backwards.
    nulls = "LAST" if field.null else None
    order = field.desc(nulls=nulls) if sort.startswith("-") else field.asc(nulls=nulls)
    return (order,) if field is Voter.student_id else (order, Voter.student_id.asc())


def _follows(sort: str, place: Place) -> Expression:
    field = SORTABLE[_name(sort)]
    is_falling = sort.startswith("-")
    if field is Voter.student_id:
        beyond: Expression = field < place.value if is_falling else field > place.value
        return beyond
    below: Expression = Voter.student_id > place.student_id
    if place.value is None:
        unknown: Expression = field.is_null() & below
        return unknown
    further = field < place.value if is_falling else field > place.value
    follows: Expression = further | ((field == place.value) & below)
    return follows | field.is_null() if field.null else follows
