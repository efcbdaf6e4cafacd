"""The values that the page of one job shows, collected from the job and its faults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import fn

from shared.database.connection import database
from shared.importing.follow_up import is_out_of_date
from shared.jobs.models import Job, JobFault
from shared.jobs.outbox import entries_of
from shared.jobs.states import FINAL_STATES, MAY_PASS, Channel, JobState
from shared.jobs.status_document import describe
from shared.roll_file.errors import DESCRIPTIONS

EXAMPLES = 5
UNDONE = (JobState.FAILURE, JobState.REVOKED)
COUNTS = {
    "rows_read": "Rows read",
    "created": "Created",
    "updated": "Updated",
    "unchanged": "Unchanged",
    "repeated": "Repeated in the file",
    "rejected": "Rejected",
}
PREVIEW_COUNTS = {**COUNTS, "created": "Would be created", "updated": "Would be updated"}


@dataclass(frozen=True, slots=True)
class FaultGroup:
    """Row faults of one code: how many rows have it, what it means, and a few examples."""

    code: str
    meaning: str
    rows: int
    examples: list[JobFault]


def job_page(job: Job, *, may_read_roll: bool) -> dict[str, Any]:
    """Return the values for the template `import.html`."""
    document = describe(job, may_read_roll=may_read_roll)
    report = document["report"]
    follow_up = _follow_up(job)
    is_followed = bool(follow_up and follow_up.state not in UNDONE)
    is_current = not _is_out_of_date(job)
    is_preview = job.dry_run and job.state == JobState.SUCCESS
    return {
        "job": job,
        "document": document,
        "mail": entries_of([job])[job.id][Channel.MAIL],
        "report": report,
        "counts": _counts(job, report),
        "groups": fault_groups(job),
        "warnings": _warning_rows((report or {}).get("warnings", {})),
        "is_final": job.state in FINAL_STATES,
        "is_preview": is_preview,
        "would_change": _would_change(report),
        "is_current": is_current,
        "is_followed": is_followed,
        "can_be_retried": is_current and not is_followed and _may_pass(job),
        "can_be_previewed": not is_current and not is_followed and (is_preview or _is_undone(job)),
        "has_rejects": bool(job.rejects_key) and job.files_purged_at is None,
        "follow_up": follow_up,
    }


def _is_out_of_date(job: Job) -> bool:
    """Whether the roll has changed since the preview that the job is, or was to apply."""
    preview_id = job.id if job.dry_run and job.state == JobState.SUCCESS else job.preview_of
    return preview_id is not None and is_out_of_date(preview_id)


def _would_change(report: Mapping[str, Any] | None) -> bool:
    return report is not None and (report["created"] > 0 or report["updated"] > 0)


def _is_undone(job: Job) -> bool:
    return job.state in UNDONE


def _may_pass(job: Job) -> bool:
    """Whether another attempt may end differently."""
    return job.state == JobState.REVOKED or (
        job.state == JobState.FAILURE and job.error_code in MAY_PASS
    )


def _counts(job: Job, report: Mapping[str, Any] | None) -> list[tuple[str, int]]:
    if report is None:
        return []
    names = PREVIEW_COUNTS if job.dry_run else COUNTS
    return [(label, report[name]) for name, label in names.items()]


def fault_groups(job: Job) -> list[FaultGroup]:
    """Group the stored faults of a job by code, the most frequent first."""
    query = (
        JobFault.select(JobFault.code, fn.COUNT(JobFault.line.distinct()))
        .where(JobFault.job == job.id)
        .group_by(JobFault.code)
    )
    rows: dict[str, int] = dict(database.execute(query))
    rows |= (job.report or {}).get("errors", {})
    return [
        FaultGroup(code, _meaning(code), count, _examples(job, code))
        for code, count in sorted(rows.items(), key=lambda pair: (-pair[1], pair[0]))
    ]


def _examples(job: Job, code: str) -> list[JobFault]:
    faults = JobFault.select().where((JobFault.job == job.id) & (JobFault.code == code))
    return list(faults.order_by(JobFault.number).limit(EXAMPLES))


def _warning_rows(counts: Mapping[str, int]) -> list[tuple[str, str, int]]:
    return [(code, _meaning(code), rows) for code, rows in sorted(counts.items())]


def _meaning(code: str) -> str:
    meanings = {str(code_name): text for code_name, text in DESCRIPTIONS.items()}
    return meanings.get(code, code)


def _follow_up(job: Job) -> Job | None:
    """Return the latest job that applies this preview or retries this job."""
    last: Job | None = (
        Job.select()
        .where((Job.preview_of == job.id) | (Job.retry_of == job.id))
        .order_by(Job.created_at.desc())
        .first()
    )
    return last
