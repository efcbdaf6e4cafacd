"""The status document of a job, for the API, `flask import --json` and the webhook."""

from datetime import datetime
from typing import Any

from shared.jobs import transitions
from shared.jobs.models import Job
from shared.jobs.states import FINAL_STATES, JobState, Phase
from shared.roll_file.report import Report
from shared.workers import is_any_alive

STATUS = {
    JobState.PENDING: "Waiting for a worker.",
    JobState.RETRY: "The last attempt was interrupted. The job waits for the next one.",
    JobState.SUCCESS: "The file has been processed.",
    JobState.FAILURE: "The file could not be processed. The roll is unchanged.",
    JobState.REVOKED: "The job was cancelled. The roll is unchanged.",
}
NOBODY = (
    "No worker is running now. The import begins automatically when a worker starts. If"
    " this does not change, ask the operator."
)


def describe(job: Job, *, may_read_roll: bool = False) -> dict[str, Any]:
    """Return the status document of a job, ready for JSON.

    A preview shows values of the roll only if `may_read_roll`. For a job that has not ended, this
    asks the database whether a worker is active.
    """
    report = job.report
    if report and not may_read_roll:
        report = {name: value for name, value in report.items() if name != "differences"}
    return {
        "task_id": str(job.id),
        "state": job.state,
        "status": _status(job),
        "result": _result(job),
        "dry_run": job.dry_run,
        "attempts": job.attempts,
        "created_at": rfc3339(job.created_at),
        "started_at": rfc3339(job.started_at),
        "finished_at": rfc3339(job.finished_at),
        "progress": {
            "phase": job.phase,
            "rows_read": job.rows_read,
            "percent": None if job.percent is None else round(job.percent, 1),
        },
        "file": {
            "name": job.file_name,
            "size_bytes": job.size_bytes,
            "sha256": job.sha256,
            "format": job.format,
            "encoding": job.encoding,
            "delimiter": job.delimiter,
            "sheet": job.sheet,
        },
        "report": report,
        "error": _error(job),
    }


def _status(job: Job) -> str:
    state = JobState(job.state)
    if state not in FINAL_STATES and _is_left_alone(job):
        waits = JobState.PENDING if state is JobState.PENDING else JobState.RETRY
        return f"{STATUS[waits]} {NOBODY}"
    if state is not JobState.STARTED:
        return STATUS[state]
    if job.phase == Phase.APPLYING:
        work = "Comparing" if job.dry_run else "Applying"
        return f"{work} {job.rows_read:,} rows."
    return f"Reading the file: {job.rows_read:,} rows so far."


def _is_left_alone(job: Job) -> bool:
    """Whether the job waits and no worker is alive.

    A started job waits if its worker does not renew the lease.
    """
    is_at_work = job.state == JobState.STARTED and not transitions.is_abandoned(job.id)
    return not is_at_work and not is_any_alive()


def _result(job: Job) -> str | None:
    if job.state == JobState.SUCCESS:
        return Report.from_dict(job.report).sentence(dry_run=job.dry_run)
    if job.state == JobState.FAILURE:
        return f"File processing failed: {job.error_message}"
    if job.state == JobState.REVOKED:
        return "File processing was cancelled."
    return None


def _error(job: Job) -> dict[str, str] | None:
    if job.error_code is None:
        return None
    return {"code": job.error_code, "message": job.error_message or ""}


def rfc3339(time: datetime | None) -> str | None:
    """Format a time of the database (UTC without a zone) as the API shows it."""
    return None if time is None else f"{time.isoformat(timespec='milliseconds')}Z"
