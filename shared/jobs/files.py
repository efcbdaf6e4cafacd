"""Which stored files belong to a job, and how long they are kept."""

from collections.abc import Iterable

from shared.database import clock
from shared.jobs.models import Job
from shared.jobs.states import FINAL_STATES

SECONDS_A_DAY = 86_400


def keys_of_jobs(keys: Iterable[str]) -> set[str]:
    """Those of the keys that some job still names, as its upload or as its rejects file."""
    wanted = list(keys)
    named = Job.select(Job.file_key, Job.rejects_key).where(
        Job.files_purged_at.is_null() & (Job.file_key.in_(wanted) | Job.rejects_key.in_(wanted))
    )
    return {key for job in named for key in (job.file_key, job.rejects_key) if key}


def expired_jobs(retain_days: float, limit: int) -> list[Job]:
    """Jobs that have been final for so long, and whose files have not been purged."""
    return list(
        Job.select()
        .where(
            Job.state.in_(list(FINAL_STATES))
            & Job.files_purged_at.is_null()
            & (Job.finished_at <= clock(-retain_days * SECONDS_A_DAY))
        )
        .order_by(Job.finished_at)
        .limit(limit)
    )


def note_purged(job: Job) -> None:
    """The files of the job are gone; its counts and its hash stay."""
    Job.update(files_purged_at=clock()).where(Job.id == job.id).execute()
