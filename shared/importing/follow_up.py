"""Create jobs that import the file of an earlier job: apply a preview, or retry a job."""

from uuid import UUID

from shared.broker.doorbell import Doorbell
from shared.importing.errors import FilePurged, NotPossible, NotPossibleCode
from shared.jobs import jobs
from shared.jobs.models import Job
from shared.jobs.states import JobCode, JobState
from shared.voters.roll import roll_version


def apply_preview(preview: Job, *, uploaded_by: str, doorbell: Doorbell) -> UUID:
    """Import the exact bytes of a preview with its options. Return the new job's id.

    If a job applies the preview now or has applied it, the result is that job's id. Raises
    `NotPossible` for a job that is not a finished preview, and if the roll has changed since the
    comparison. The import checks this again under the roll's lock.

    Raises `FilePurged` if the file has been deleted.
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


def retry(job: Job, *, uploaded_by: str, doorbell: Doorbell) -> UUID:
    """Import the file of a failed or cancelled job again. Return the new job's id.

    The conditions are the same. If another job does this now or has done it, the result is that
    job's id. Raises `NotPossible` for a job in another state, and for a job that applies a preview
    if the roll has changed since. Raises `FilePurged` if the file has been deleted.
    """
    if job.state not in (JobState.FAILURE, JobState.REVOKED):
        raise NotPossible(
            NotPossibleCode.NOT_FAILED,
            "Only a job that has failed or was cancelled can be tried again.",
        )
    if job.preview_of:
        _check_roll(job.preview_of)
    job_id = jobs.create_again(job, uploaded_by=uploaded_by, retry_of=job.id)
    return _rung(job_id, doorbell)


def preview_again(earlier: Job, *, uploaded_by: str, doorbell: Doorbell) -> UUID:
    """Compare the file of a job with the roll as it is now. Return the id of the preview.

    Raises `FilePurged` if the file has been deleted.
    """
    job_id = jobs.create_again(
        earlier, uploaded_by=uploaded_by, dry_run=True, preview_of=None, retry_of=earlier.id
    )
    return _rung(job_id, doorbell)


def is_out_of_date(preview_id: UUID) -> bool:
    """Whether the roll has changed since a preview. A preview that is gone counts as changed."""
    preview = jobs.find(preview_id)
    return preview is None or preview.roll_version != roll_version()


def _check_roll(preview_id: UUID) -> None:
    """Raise `NotPossible` if the roll has changed.

    A job that has applied the preview has changed the roll itself, so this is not a reason to
    reject.
    """
    if is_out_of_date(preview_id) and not jobs.live_follow_up(preview_of=preview_id):
        raise NotPossible(
            JobCode.ROLL_CHANGED,
            "The roll has changed since the preview. Make a new preview of the file.",
        )


def _rung(job_id: UUID | None, doorbell: Doorbell) -> UUID:
    """Ring the doorbell for the job. A second message for an existing job does no harm."""
    if job_id is None:
        raise FilePurged
    doorbell.ring(job_id)
    return job_id
