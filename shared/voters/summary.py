"""The roll in figures."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from heapq import nsmallest
from itertools import groupby
from operator import itemgetter

from peewee import Database

from shared.database.connection import database
from shared.database.sql import stream
from shared.voters.counts import count_groups, kept_groups
from shared.voters.models import RollGroup, Voter
from shared.voters.roll import roll_version

# A roll that comes with its departments misspelt has more than anybody reads.
MAX_DEPARTMENTS = 1_000


@dataclass(frozen=True, slots=True)
class Group:
    """The voters that have one department or year in common; None for no known year."""

    name: str | int | None
    voters: int
    eligible: int


@dataclass(frozen=True, slots=True)
class Summary:
    """`by_department` are the largest departments, by size; `departments` is how many there are.
    `by_year` is in order, the unknown year last."""

    voters: int = 0
    eligible: int = 0
    departments: int = 0
    by_department: list[Group] = field(default_factory=list)
    by_year: list[Group] = field(default_factory=list)


def summarise() -> Summary:
    """The figures of the roll as it is. Added up once for each state of the roll, and kept."""
    version = roll_version()
    return _summarised(database.obj, version) if version else _summarise()


@lru_cache(maxsize=2)
def _summarised(_: Database, version: int) -> Summary:
    return _summarise()


def _summarise() -> Summary:
    """By one statement, so that all figures are of one state, and in constant memory."""
    years: Counter[int | None] = Counter()
    eligible_by_year: Counter[int | None] = Counter()
    departments = 0

    def found() -> Iterator[Group]:
        nonlocal departments
        for name, rows in groupby(_groups(), key=itemgetter(0)):
            departments += 1
            voters = eligible = 0
            for _, year, of_year, eligible_of_year in rows:
                years[year] += of_year
                eligible_by_year[year] += eligible_of_year
                voters += of_year
                eligible += eligible_of_year
            yield Group(name, voters, eligible)

    largest = nsmallest(
        MAX_DEPARTMENTS, found(), key=lambda group: (-group.voters, str(group.name))
    )
    in_order = sorted(years, key=lambda year: (year is None, year))
    return Summary(
        voters=years.total(),
        eligible=eligible_by_year.total(),
        departments=departments,
        by_department=largest,
        by_year=[Group(year, years[year], eligible_by_year[year]) for year in in_order],
    )


def _groups() -> Iterator[tuple[str, int | None, int, int]]:
    """(department, year, voters, eligible voters), those of one department together."""
    kept = stream(kept_groups().order_by(RollGroup.department))
    if first := next(kept, None):
        yield first
        yield from kept
    else:
        yield from stream(count_groups().order_by(Voter.department))
