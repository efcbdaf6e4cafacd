"""The right to work on a job, and what an attempt writes while it has this right."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn
from uuid import UUID

from peewee import Expression, Field

from config.log_context import REQUEST_ID
from shared.database.sql import clock
from shared.jobs.errors import AttemptLost
from shared.jobs.models import Job
from shared.jobs.states import JobState, Phase
from shared.roll_file.formats import Format


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a job: its id and the attempt number that guards every write.

    `request_id` is that of the request that created the job. Only the log uses it.
    """

    job_id: UUID
    attempt: int
    request_id: str | None = field(default=None, compare=False)

    @property
    def log_fields(self) -> dict[str, object]:
        """The fields of every log line about the attempt."""
        fields = {REQUEST_ID: self.request_id} if self.request_id else {}
        return {"job_id": str(self.job_id), "attempt": self.attempt, **fields}

    @property
    def holds(self) -> Expression:
        """The condition under which this attempt may write."""
        condition: Expression = (
            (Job.id == self.job_id)
            & (Job.state == JobState.STARTED)
            & (Job.attempts == self.attempt)
        )
        return condition


def renew(claim: Claim, lease_seconds: float) -> bool:
    """Extend the lease. Return False if the attempt no longer owns the job."""
    query = Job.update(lease_expires_at=clock(lease_seconds)).where(claim.holds)
    return bool(query.execute())


def note_file(
    claim: Claim,
    *,
    file_format: Format,
    encoding: str | None,
    delimiter: str | None,
    sheet: str | None,
) -> None:
    """Save how the attempt reads the file. Raises AttemptLost."""
    _note(
        claim,
        {
            Job.format: file_format,
            Job.encoding: encoding,
            Job.delimiter: delimiter,
            Job.sheet: sheet,
        },
    )


def note_progress(claim: Claim, phase: Phase, rows_read: int, percent: float | None) -> None:
    """Save the progress of the attempt. A `percent` of None means unknown. Raises AttemptLost."""
    _note(claim, {Job.phase: phase, Job.rows_read: rows_read, Job.percent: percent})


def note_rows_read(claim: Claim, rows_read: int) -> None:
    """Save how many rows the file has, whatever the outcome of the job. Raises AttemptLost."""
    _note(claim, {Job.rows_read: rows_read})


def _note(claim: Claim, values: Mapping[Field, object]) -> None:
    if not Job.update(values).where(claim.holds).execute():
        raise_attempt_lost(claim)


def raise_attempt_lost(claim: Claim) -> NoReturn:
    """Raise AttemptLost for this claim."""
    raise AttemptLost(f"attempt {claim.attempt} no longer owns job {claim.job_id}")
