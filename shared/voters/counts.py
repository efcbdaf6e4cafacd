"""Counts of the roll, kept beside it so that a page need not count a million voters.

Every change of the roll updates them in the same transaction. They belong to the version of the
roll in `Roll.counted_version`. If that differs from `Roll.version`, a release that did not know the
counts has changed the roll. The next import then counts again.
"""

from typing import NamedTuple

from peewee import Case, Expression, ModelSelect, fn

from shared.voters.models import Roll, RollGroup, Voter

GROUP_FIELDS = (RollGroup.department, RollGroup.year, RollGroup.voters, RollGroup.eligible)


class GroupOfVoter(NamedTuple):
    """The group in which a voter counts, and whether the voter is eligible."""

    department: str
    year: int | None
    is_eligible: bool


def group_of(voter: Voter) -> GroupOfVoter:
    """Return the group of this entry."""
    return GroupOfVoter(voter.department, voter.year, voter.is_eligible)


def count_groups() -> "ModelSelect[Voter]":
    """Query (department, year, voters, eligible voters) of the roll as it is, in no order."""
    columns = (Voter.department, Voter.year)
    eligible = fn.SUM(Case(None, ((Voter.is_eligible, 1),), 0))
    return Voter.select(*columns, fn.COUNT(Voter.student_id), eligible).group_by(*columns)


def kept_groups() -> "ModelSelect[RollGroup]":
    """Query the same from the kept counts. The result is empty if they are out of date."""
    are_current = Roll.select().where(Roll.version == Roll.counted_version)
    return RollGroup.select(*GROUP_FIELDS).where(fn.EXISTS(are_current))


def kept_count(department: str | None, year: int | None, is_eligible: bool | None) -> int | None:
    """Return the kept number of voters with these values, where None means any.

    Returns None if the kept counts are out of date.
    """
    counts = {
        None: RollGroup.voters,
        True: RollGroup.eligible,
        False: RollGroup.voters - RollGroup.eligible,
    }
    groups = RollGroup.select(fn.SUM(counts[is_eligible]))
    if department is not None:
        groups = groups.where(RollGroup.department == department)
    if year is not None:
        groups = groups.where(RollGroup.year == year)
    are_current = Roll.version == Roll.counted_version
    count = Roll.select(fn.COALESCE(groups, 0)).where(are_current).scalar()
    return None if count is None else int(count)


def recount() -> None:
    """Count all groups again, after an import and in its transaction."""
    RollGroup.delete().execute()
    RollGroup.insert_from(count_groups(), list(GROUP_FIELDS)).execute()
    Roll.update(counted_version=Roll.version).execute()


def move(before: GroupOfVoter, after: GroupOfVoter) -> None:
    """Move one voter between groups after an edit.

    Call it in the transaction that has raised the version by one for this change.
    """
    is_counted = Roll.update(counted_version=Roll.version).where(
        Roll.counted_version == Roll.version - 1
    )
    if is_counted.execute():
        _add(before, -1)
        _add(after, 1)
        RollGroup.delete().where(RollGroup.voters == 0).execute()


def _add(place: GroupOfVoter, voters: int) -> None:
    eligible = voters if place.is_eligible else 0
    query = RollGroup.update(
        voters=RollGroup.voters + voters, eligible=RollGroup.eligible + eligible
    ).where(_is_group_of(place))
    if not query.execute():
        group = (place.department, place.year, voters, eligible)
        RollGroup.insert_many([group], fields=GROUP_FIELDS).execute()


def _is_group_of(place: GroupOfVoter) -> Expression:
    is_year = RollGroup.year.is_null() if place.year is None else RollGroup.year == place.year
    condition: Expression = (RollGroup.department == place.department) & is_year
    return condition
