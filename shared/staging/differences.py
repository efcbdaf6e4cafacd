"""Sample what an import would change, by voter and by field."""

from collections.abc import Iterator
from typing import Any

from peewee import JOIN, Expression

from shared.database.connection import database
from shared.roll_file.fields import CHANGEABLE
from shared.staging.merge import Mode, differs
from shared.staging.tables import StagedVoter
from shared.voters.models import Voter


def sample_differences(mode: Mode, limit: int) -> list[dict[str, Any]]:
    """Return at most `limit` voters that the import would change, in the order of their ids.

    Voters to update come before voters to create. Each entry has the id, the line, and the value of
    each changed field now and after the import.
    """
    sample: list[dict[str, Any]] = []
    is_new = Voter.student_id.is_null()
    if mode is not Mode.CREATE_ONLY:
        sample += _differences("update", ~is_new & differs(), limit)
    if mode is not Mode.UPDATE_ONLY:
        sample += _differences("create", is_new, limit - len(sample))
    return sample


def _differences(kind: str, which: Expression, limit: int) -> Iterator[dict[str, Any]]:
    values = [getattr(model, name) for model in (StagedVoter, Voter) for name in CHANGEABLE]
    query = (
        StagedVoter.select(StagedVoter.student_id, StagedVoter.line, *values)
        .join(Voter, JOIN.LEFT_OUTER, on=(Voter.student_id == StagedVoter.student_id))
        .where(which)
        .order_by(StagedVoter.student_id)
        .limit(limit)
    )
    for student_id, line, *values in database.execute(query):
        pairs = zip(CHANGEABLE, values[len(CHANGEABLE) :], values[: len(CHANGEABLE)], strict=True)
        yield {
            "change": kind,
            "student_id": student_id,
            "line": line,
            "fields": {
                name: {"from": _plain(name, old), "to": _plain(name, new)}
                for name, old, new in pairs
                if new is not None and new != old
            },
        }


def _plain(name: str, value: Any) -> Any:
    """Return the value as a JSON type. SQLite has no booleans."""
    return bool(value) if name == "is_eligible" and value is not None else value
