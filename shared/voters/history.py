"""What the voters' entries were before each change, and whose change it was."""

from dataclasses import dataclass
from uuid import UUID

from peewee import Expression, Value

from shared.database import clock
from shared.voters.models import Voter, VoterHistory

ENTRY = ("student_id", "first_name", "last_name", "email", "department", "year", "is_eligible")


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes the roll, why, and by which import if it is one."""

    name: str
    reason: str = ""
    job_id: UUID | None = None


def note_entries(which: Expression, author: Author) -> None:
    """Copy entries of the roll into the history, before they change.

    `which` is a condition on `Voter`; the statement is one INSERT ... SELECT in the transaction
    that changes them.
    """
    entries = Voter.select(
        *(getattr(Voter, name) for name in ENTRY),
        clock(),
        Value(author.name),
        Value(author.reason),
        Value(author.job_id, converter=VoterHistory.job.db_value),
    ).where(which)
    fields = [
        *(getattr(VoterHistory, name) for name in ENTRY),
        VoterHistory.changed_at,
        VoterHistory.changed_by,
        VoterHistory.reason,
        VoterHistory.job,
    ]
    VoterHistory.insert_from(entries, fields).as_rowcount().execute()
