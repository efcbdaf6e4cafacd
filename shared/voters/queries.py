"""Which voters a list, a search or an export shows, in which order, and how many there are.

The roll has no index but its key: one for each order makes the insert of new voters five times as
long, and without them a page by cursor is a fraction of a second at a million voters
(docs/performance.md).
"""

from dataclasses import dataclass
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
# From here on the keys of a page are looked up before its rows: whole rows are slow to sort. To
# pass over a million sorted rows took SQLite 16 s; it numbers them in 1.4 s.
DEEP_ROWS = 10_000
TOTALS_KEPT = 256

Voters = list[Voter]
Conditions = list[Expression]


@dataclass(frozen=True, slots=True)
class Sought:
    """What a voter must have; None demands nothing. `q` is part of an id, name or address."""

    q: str = ""
    student_id: str | None = None
    department: str | None = None
    year: int | None = None
    is_eligible: bool | None = None

    def conditions(self) -> Conditions:
        """The conditions of the query, none for the whole roll."""
        named = ("student_id", "department", "year", "is_eligible")
        stated = {name: getattr(self, name) for name in named}
        found = [
            getattr(Voter, name) == value for name, value in stated.items() if value is not None
        ]
        return [*found, _contains(self.q)] if self.q else found


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the last voter's value in the order's field, and the id."""

    value: str | int | None
    student_id: str


def voters_after(sought: Sought, sort: str, place: Place | None, limit: int) -> Voters:
    """The voters that follow a place, the first ones for None. As fast on the last page as on the
    first: one look at the roll at most, none when sorted by id."""
    conditions = sought.conditions()
    if place is not None:
        conditions.append(_follows(sort, place))
    return list(_where(Voter.select(), conditions).order_by(*_order(sort)).limit(limit))


def voters_at(sought: Sought, sort: str, first: int, limit: int) -> Voters:
    """The voters from number `first` on, counted from 0. Passes over all those before."""
    query = _where(Voter.select(), sought.conditions())
    if first < DEEP_ROWS or _name(sort) == "student_id":
        return list(query.order_by(*_order(sort)).offset(first).limit(limit))
    keys = _keys_at if is_postgresql() else _numbered_keys_at
    deep = Voter.select().where(Voter.student_id.in_(keys(sought, sort, first, limit)))
    return list(deep.order_by(*_order(sort)))


def _keys_at(sought: Sought, sort: str, first: int, limit: int) -> "ModelSelect[Any]":
    query = _where(Voter.select(Voter.student_id), sought.conditions())
    return query.order_by(*_order(sort)).offset(first).limit(limit)


def _numbered_keys_at(sought: Sought, sort: str, first: int, limit: int) -> "ModelSelect[Any]":
    number = fn.ROW_NUMBER().over(order_by=_order(sort)).alias("number")
    numbered = _where(Voter.select(Voter.student_id, number), sought.conditions()).alias("numbered")
    return (
        Voter.select(numbered.c.student_id)
        .from_(numbered)
        .where(numbered.c.number.between(first + 1, first + limit))
    )


def place_of(voter: Voter, sort: str) -> Place:
    """The place behind a voter."""
    return Place(getattr(voter, _name(sort)), voter.student_id)


def total(sought: Sought) -> int:
    """How many voters there are. Counted once for each state of the roll, and kept."""
    version = roll_version()
    # Before its first counted change, a roll has no number to remember it by.
    return _counted(database.obj, version, sought) if version else _count(sought)


@lru_cache(maxsize=TOTALS_KEPT)
def _counted(_: Database, version: int, sought: Sought) -> int:
    return _count(sought)


def _count(sought: Sought) -> int:
    if not sought.q and sought.student_id is None:
        kept = kept_count(sought.department, sought.year, sought.is_eligible)
        if kept is not None:
            return kept
    return int(_where(Voter.select(), sought.conditions()).count())


def rows_in_order(sought: Sought) -> "ModelSelect[Any]":
    """A query for the seven fields of the voters, by id."""
    return _where(Voter.select(), sought.conditions()).order_by(Voter.student_id)


def _where(query: "ModelSelect[Any]", conditions: Conditions) -> "ModelSelect[Any]":
    return query.where(*conditions) if conditions else query


def _contains(text: str) -> Expression:
    """Both sides are folded by the database, so they are folded alike."""
    position = fn.STRPOS if is_postgresql() else fn.INSTR
    found: Expression = position(fn.LOWER(_all_text()), fn.LOWER(text)) > 0
    return found


def _all_text() -> Expression:
    # The key's bytewise collation would win over the others', and it folds ASCII alone.
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
    # The databases do not agree where a year that is not known belongs; to say so where there is
    # nothing unknown keeps PostgreSQL from following the key backwards.
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
