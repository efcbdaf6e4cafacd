"""The summary of the roll: counts by department and by year."""

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

# A roll with misspelled departments has more than anyone reads.
MAX_DEPARTMENTS = 1_000


@dataclass(frozen=True, slots=True)
class Group:
    """The voters of one department or year. None means an unknown year."""

    name: str | int | None
    voters: int
    eligible: int


@dataclass(frozen=True, slots=True)
class Summary:
    """Counts of the whole roll and of its groups.

    `by_department` has the largest departments, by size. `departments` is the number of all
    departments. `by_year` is in order, with the unknown year last.
    """

    voters: int = 0
    eligible: int = 0
    departments: int = 0
    by_department: list[Group] = field(default_factory=list)
    by_year: list[Group] = field(default_factory=list)


def summarise() -> Summary:
    """Return the summary of the roll as it is, computed once per version and cached."""
    version = roll_version()
    return _summary_of_version(database.obj, version) if version else _summarise()


@lru_cache(maxsize=2)
def _summary_of_version(_: Database, version: int) -> Summary:
    return _summarise()


def _summarise() -> Summary:
    """Compute the summary by one statement, so all counts are of one state, in constant memory."""
    years: Counter[int | None] = Counter()
    eligible_by_year: Counter[int | None] = Counter()
    departments = 0

    def groups() -> Iterator[Group]:
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
        MAX_DEPARTMENTS, groups(), key=lambda group: (-group.voters, str(group.name))
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
    """Yield (department, year, voters, eligible voters), grouped by department."""
    rows = stream(kept_groups().order_by(RollGroup.department))
    if first := next(rows, None):
        yield first
        yield from rows
    else:
        yield from stream(count_groups().order_by(Voter.department))
