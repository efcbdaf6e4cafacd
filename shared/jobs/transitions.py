"""The transitions between the states of a job. `shared.jobs.states` lists them all.

Every function is one statement or one transaction of its own, except `finish`, which joins the
transaction of its caller.
"""

import logging
import random
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from peewee import Expression

from shared.access.names import COMMAND_LINE
from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import outbox
from shared.jobs.claims import Claim, raise_attempt_lost
from shared.jobs.models import Job, JobFault
from shared.jobs.states import WAITING_STATES, JobCode, JobState, Phase
from shared.roll_file.errors import RowError

logger = logging.getLogger(__name__)

MAX_KEPT_FAULTS = 1000
MAX_BACKOFF_SECONDS = 300.0
# The worker name of a job that `flask import` runs in the foreground. No worker finishes such a
# job.
FOREGROUND = COMMAND_LINE
INTERRUPTED = "The import was interrupted at the command line. The roll is unchanged."


def due_jobs(limit: int) -> list[UUID]:
    """Return the ids of jobs that a worker may claim now, the oldest first."""
    return [
        job.id
        for job in Job.select(Job.id).where(_is_claimable()).order_by(Job.created_at).limit(limit)
    ]


def _is_claimable() -> Expression:
    is_waiting = Job.state.in_([*WAITING_STATES]) & (Job.not_before <= clock())
    claimable: Expression = is_waiting | _is_abandoned()
    return claimable


def _is_abandoned() -> Expression:
    condition: Expression = (Job.state == JobState.STARTED) & (Job.lease_expires_at < clock())
    return condition


def is_abandoned(job_id: UUID) -> bool:
    """Whether the lease of a started job has run out, as after its worker was killed."""
    return bool(Job.select().where((Job.id == job_id) & _is_abandoned()).exists())


def claim(job_id: UUID, *, worker: str, lease_seconds: float, max_attempts: int) -> Claim | None:
    """Claim a job that waits, or whose worker let the lease run out.

    Returns None if the job is unknown, finished, not due, or was claimed by another worker a moment
    ago. A job whose last allowed attempt died becomes a FAILURE here. So does a job that ran in the
    foreground and ended with its terminal.
    """
    job = Job.get_or_none((Job.id == job_id) & _is_claimable())
    if job is None:
        return None
    is_as_seen = (Job.id == job_id) & (Job.attempts == job.attempts) & _is_claimable()
    is_started = job.state == JobState.STARTED
    deaths = job.deaths + 1 if is_started else job.deaths
    claim = None
    if is_started and job.worker == FOREGROUND:
        is_ours = conclude(job_id, is_as_seen, **_failure(JobCode.INTERRUPTED, INTERRUPTED))
    elif deaths >= max_attempts:
        code = JobCode.WORKER_CRASHED
        is_ours = conclude(job_id, is_as_seen, **_failure(code, _gave_up(code, deaths)))
    else:
        claim = Claim(job_id, job.attempts + 1, job.request_id)
        is_ours = _start(claim, is_as_seen, deaths, worker=worker, lease_seconds=lease_seconds)
    if is_ours and is_started:
        lost_claim = Claim(job_id, job.attempts, job.request_id)
        logger.warning("lease ran out", extra={**lost_claim.log_fields, "lost_worker": job.worker})
    return claim if is_ours else None


def _start(
    claim: Claim, is_as_seen: Expression, deaths: int, *, worker: str, lease_seconds: float
) -> bool:
    query = Job.update(
        state=JobState.STARTED,
        attempts=claim.attempt,
        deaths=deaths,
        worker=worker,
        started_at=clock(),
        lease_expires_at=clock(lease_seconds),
        phase=Phase.READING,
        rows_read=0,
        percent=None,
    ).where(is_as_seen)
    return bool(query.execute())


def finish(
    claim: Claim,
    report: dict[str, Any],
    faults: Iterable[RowError],
    *,
    rejects_key: str | None = None,
    roll_version: int | None = None,
) -> None:
    """Move the job to SUCCESS with its report, its first faults and its outbox entries.

    Call it inside the transaction that changes the roll. It raises AttemptLost, which must roll
    that transaction back.
    """
    is_finished = conclude(
        claim.job_id,
        claim.holds,
        state=JobState.SUCCESS,
        report=report,
        rejects_key=rejects_key,
        roll_version=roll_version,
        rows_read=report["rows_read"],
        percent=100.0,
    )
    if not is_finished:
        raise_attempt_lost(claim)
    _keep_faults(claim.job_id, faults)


def fail(
    claim: Claim,
    code: str,
    message: str,
    *,
    faults: Iterable[RowError] = (),
    rejects_key: str | None = None,
) -> bool:
    """Move the job to FAILURE. Return False if the attempt no longer owns it.

    The faults and the rejects file are for a job that failed because of its rejected rows.
    """
    with database.atomic():
        is_failed = conclude(
            claim.job_id, claim.holds, **_failure(code, message), rejects_key=rejects_key
        )
        if is_failed:
            _keep_faults(claim.job_id, faults)
    return is_failed


def _failure(code: str, message: str) -> dict[str, Any]:
    return {"state": JobState.FAILURE, "error_code": code, "error_message": message}


def conclude(job_id: UUID, condition: Expression, **values: Any) -> bool:
    """Move a job to a final state, with its outbox entries, if the condition still holds."""
    query = Job.update(
        finished_at=clock(), lease_expires_at=None, phase=Phase.DONE, **values
    ).where(condition)
    with database.atomic():
        is_final = bool(query.execute())
        if is_final:
            outbox.add_entries(job_id)
    return is_final


def _keep_faults(job_id: UUID, faults: Iterable[RowError]) -> None:
    rows = [
        (job_id, number, fault.line, fault.column, fault.code, fault.value, fault.message)
        for number, fault in enumerate(faults, start=1)
        if number <= MAX_KEPT_FAULTS
    ]
    fields = [
        JobFault.job,
        JobFault.number,
        JobFault.line,
        JobFault.column,
        JobFault.code,
        JobFault.value,
        JobFault.message,
    ]
    for start in range(0, len(rows), 500):
        JobFault.insert_many(rows[start : start + 500], fields=fields).execute()


def release(
    claim: Claim, *, death: JobCode | None, max_attempts: int, delay_seconds: float = 0.0
) -> JobState | None:
    """Give back a job that this attempt could not finish. Return its new state, or None if lost.

    A `death` is a crash or an unavailable service. After it the job waits with a growing delay with
    jitter. If `max_attempts` are used up, it becomes a FAILURE with that code. A shutdown is not a
    death (None): the job is due after `delay_seconds`, by default immediately.
    """
    job = Job.get_or_none(claim.holds)
    if job is None:
        return None
    deaths = job.deaths if death is None else job.deaths + 1
    if death and deaths >= max_attempts:
        return JobState.FAILURE if fail(claim, death, _gave_up(death, deaths)) else None
    if death:
        delay_seconds = min(4.0 ** (deaths - 1), MAX_BACKOFF_SECONDS)
    rows = (
        Job.update(
            state=JobState.RETRY,
            deaths=deaths,
            lease_expires_at=None,
            not_before=clock(delay_seconds * random.uniform(0.8, 1.2)),  # noqa: S311 # nosec B311
            phase=Phase.QUEUED,
            rows_read=0,
            percent=None,
        )
        .where(claim.holds)
        .execute()
    )
    return JobState.RETRY if rows else None


def _gave_up(death: JobCode, deaths: int) -> str:
    times = "once" if deaths == 1 else f"{deaths} times"
    if death == JobCode.SERVICE_UNAVAILABLE:
        return (
            f"The import was tried {times}, and the database or the upload store was"
            " unavailable. The roll is unchanged, and nothing is wrong with the file. Upload"
            " it again later, or ask the operator to read the log."
        )
    if death == JobCode.WORKER_TOO_OLD:
        return (
            f"The import was tried {times} by a worker that is older than the web process."
            " The worker does not know an option of this import. The roll is unchanged. Ask"
            " the operator to update the workers, then try again."
        )
    if death == JobCode.DISK_FULL:
        return (
            f"The import was tried {times}, and there was no room left on a disk of the"
            " service. The roll is unchanged, and nothing is wrong with the file. Ask the"
            " operator to make room, and upload it again."
        )
    return (
        f"The import was tried {times} and could not be finished. The roll is unchanged."
        " Save the file as CSV and upload it again, or ask the operator to read the log."
    )
