"""The figures of the roll, kept beside it: whatever changes the roll brings them up to date in the
same transaction, so that a page need not count a million voters.

They are of the version of the roll that `Roll.counted_version` names. One that differs from
`Roll.version` was left by a release that did not know of them; the next import counts anew.
"""

from typing import NamedTuple

from peewee import Case, Expression, ModelSelect, fn

from shared.voters.models import Roll, RollGroup, Voter

FIELDS = (RollGroup.department, RollGroup.year, RollGroup.voters, RollGroup.eligible)


class Place(NamedTuple):
    """Where a voter counts."""

    department: str
    year: int | None
    is_eligible: bool


def place_of(voter: Voter) -> Place:
    """Where this entry counts."""
    return Place(voter.department, voter.year, voter.is_eligible)


def count_groups() -> "ModelSelect[Voter]":
    """(department, year, voters, eligible voters) of the roll as it is, in no order."""
    grouping = (Voter.department, Voter.year)
    eligible = fn.SUM(Case(None, ((Voter.is_eligible, 1),), 0))
    return Voter.select(*grouping, fn.COUNT(Voter.student_id), eligible).group_by(*grouping)


def kept_groups() -> "ModelSelect[RollGroup]":
    """The same without counting; nothing where the figures are not those of the roll."""
    are_current = Roll.select().where(Roll.version == Roll.counted_version)
    return RollGroup.select(*FIELDS).where(fn.EXISTS(are_current))


def kept_count(department: str | None, year: int | None, is_eligible: bool | None) -> int | None:
    """How many voters there are of these, None demanding nothing, without counting; None where the
    figures are not those of the roll."""
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
    kept = Roll.select(fn.COALESCE(groups, 0)).where(are_current).scalar()
    return None if kept is None else int(kept)


def recount() -> None:
    """After an import, in its transaction."""
    RollGroup.delete().execute()
    RollGroup.insert_from(count_groups(), list(FIELDS)).execute()
    Roll.update(counted_version=Roll.version).execute()


def move(before: Place, after: Place) -> None:
    """After one voter's entry has changed, in the transaction that has raised the version by one
    for it."""
    is_counted = Roll.update(counted_version=Roll.version).where(
        Roll.counted_version == Roll.version - 1
    )
    if is_counted.execute():
        _add(before, -1)
        _add(after, 1)
        RollGroup.delete().where(RollGroup.voters == 0).execute()


def _add(place: Place, voters: int) -> None:
    eligible = voters if place.is_eligible else 0
    added = RollGroup.update(
        voters=RollGroup.voters + voters, eligible=RollGroup.eligible + eligible
    ).where(_is_group_of(place))
    if not added.execute():
        group = (place.department, place.year, voters, eligible)
        RollGroup.insert_many([group], fields=FIELDS).execute()


def _is_group_of(place: Place) -> Expression:
    is_year = RollGroup.year.is_null() if place.year is None else RollGroup.year == place.year
    condition: Expression = (RollGroup.department == place.department) & is_year
    return condition
