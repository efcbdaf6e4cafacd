"""Find the stored files that belong to jobs, and purge those kept long enough."""

from collections.abc import Iterable

from peewee import Expression

from shared.audit import Action, record
from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs.models import Job, JobFault
from shared.jobs.states import FINAL_STATES
from shared.roll_file.errors import DESCRIPTIONS, FileCode

SECONDS_A_DAY = 86_400
# The general description of a fault. Its message may name headings or sheets of the file.
FILE_FAULTS = {str(code): DESCRIPTIONS[code] for code in FileCode}


def keys_of_jobs(keys: Iterable[str]) -> set[str]:
    """Return the keys that some job still names, as its upload or as its rejects file."""
    candidates = list(keys)
    jobs = Job.select(Job.file_key, Job.rejects_key).where(
        Job.files_purged_at.is_null()
        & (Job.file_key.in_(candidates) | Job.rejects_key.in_(candidates))
    )
    return {key for job in jobs for key in (job.file_key, job.rejects_key) if key}


def expired_jobs(retain_days: float, limit: int) -> list[Job]:
    """Return jobs final for `retain_days` whose files have not been purged."""
    query = Job.select().where(_is_expired(retain_days)).order_by(Job.finished_at)
    return list(query.limit(limit))


def count_expired(retain_days: float) -> int:
    """Count the jobs that `expired_jobs` finds without a limit."""
    return int(Job.select().where(_is_expired(retain_days)).count())


def _is_expired(retain_days: float) -> Expression:
    condition: Expression = (
        Job.state.in_(list(FINAL_STATES))
        & Job.files_purged_at.is_null()
        & (Job.finished_at <= clock(-retain_days * SECONDS_A_DAY))
    )
    return condition


def forget_files(job: Job) -> list[str]:
    """Mark the files of a job as purged, before they are. Return the keys to delete.

    Counts, hash and codes of the job stay. The content of its rows is removed. A file that another
    job still names is kept for that job.
    """
    report = {name: job.report[name] for name in job.report or () if name != "differences"}
    query = Job.update(
        files_purged_at=clock(),
        idempotency_key=None,
        report=report or job.report,
        error_message=FILE_FAULTS.get(job.error_code or "", job.error_message),
    )
    with database.atomic():
        # Another worker may purge the same files at the same time.
        if query.where((Job.id == job.id) & Job.files_purged_at.is_null()).execute():
            record(Action.PURGE, job.id)
        JobFault.update(value="").where(JobFault.job == job.id).execute()
    keys = {key for key in (job.file_key, job.rejects_key) if key}
    return sorted(keys - keys_of_jobs(keys))
