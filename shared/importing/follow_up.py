"""Jobs that import the file of an earlier job: a preview applied, a failure tried again."""

from enum import StrEnum
from uuid import UUID

from shared.broker.doorbell import Doorbell
from shared.jobs import jobs
from shared.jobs.models import Job
from shared.jobs.states import JobCode, JobState
from shared.voters.roll import roll_version


class NotPossibleCode(StrEnum):
    """Why a job cannot be followed up, beside ROLL_CHANGED."""

    NOT_A_PREVIEW = "NOT_A_PREVIEW"
    NOT_FAILED = "NOT_FAILED"


class NotPossible(Exception):
    """The job is not in a state for this; `message` tells why and what to do instead."""

    def __init__(self, code: NotPossibleCode | JobCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class FilePurged(Exception):
    """The file of the job has been deleted, as files are after a while."""


def apply_preview(preview: Job, *, uploaded_by: str, doorbell: Doorbell) -> UUID:
    """Import the very bytes of a preview, with its options; returns the new job's id.

    While one job applies the preview, or once one has, that job's id is returned again. Raises
    `NotPossible` for a job that is no finished preview, and when the roll is not the one that it
    was compared with. The import looks once more, under the roll's lock.
    """
    if not preview.dry_run or preview.state != JobState.SUCCESS:
        raise NotPossible(
            NotPossibleCode.NOT_A_PREVIEW,
            "Only a preview (dry_run=true) that has ended as SUCCESS can be applied.",
        )
    _check_roll(preview.id)
    job_id = jobs.create_again(
        preview, uploaded_by=uploaded_by, dry_run=False, preview_of=preview.id
    )
    return _rung(job_id, doorbell)


def retry(failed: Job, *, uploaded_by: str, doorbell: Doorbell) -> UUID:
    """Import the file of a failed or cancelled job again, under the same conditions; returns the
    new job's id.

    While another job does so, or once one has, that job's id is returned again. Raises
    `NotPossible` for a job in another state, and for one that applies a preview of a roll that
    has changed since.
    """
    if failed.state not in (JobState.FAILURE, JobState.REVOKED):
        raise NotPossible(
            NotPossibleCode.NOT_FAILED,
            "Only a task that has failed or was cancelled can be tried again.",
        )
    if failed.preview_of:
        _check_roll(failed.preview_of)
    job_id = jobs.create_again(failed, uploaded_by=uploaded_by, retry_of=failed.id)
    return _rung(job_id, doorbell)


def preview_again(earlier: Job, *, uploaded_by: str, doorbell: Doorbell) -> UUID:
    """Compare the file of a job with the roll as it is now; returns the id of the preview."""
    job_id = jobs.create_again(
        earlier, uploaded_by=uploaded_by, dry_run=True, preview_of=None, retry_of=earlier.id
    )
    return _rung(job_id, doorbell)


def is_out_of_date(preview_id: UUID) -> bool:
    """Whether the roll has changed since a preview; a preview that is gone counts as changed."""
    preview = jobs.find(preview_id)
    return preview is None or preview.roll_version != roll_version()


def _check_roll(preview_id: UUID) -> None:
    """A job that has applied the preview has changed the roll, and is no reason to refuse."""
    if is_out_of_date(preview_id) and not jobs.live_follow_up(preview_of=preview_id):
        raise NotPossible(
            JobCode.ROLL_CHANGED,
            "The roll has changed since the preview. Make a new preview of the file.",
        )


def _rung(job_id: UUID | None, doorbell: Doorbell) -> UUID:
    """A job that was there before hears the bell once more, which does no harm."""
    if job_id is None:
        raise FilePurged
    doorbell.ring(job_id)
    return job_id
