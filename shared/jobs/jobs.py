"""Create, find and cancel jobs. `shared.jobs.transitions` has what workers do.

Every function is one statement or one transaction of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypedDict, Unpack
from uuid import UUID, uuid4

from peewee import ModelSelect

from config.log_context import request_id
from shared.audit import Action, record
from shared.database.connection import database, is_postgresql
from shared.database.sql import clock
from shared.jobs import outbox
from shared.jobs.claims import Claim
from shared.jobs.models import Job
from shared.jobs.states import FINAL_STATES, Channel, JobState, Phase
from shared.jobs.transitions import conclude

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})
# Columns that a follow-up job does not copy: who made the earlier job and when, and how it went.
# Every other column is copied, so no condition gets lost.
NOT_COPIED = frozenset(
    {
        "id", "state", "uploaded_by", "request_id", "idempotency_key",
        "duplicate_of", "retry_of", "cancelled_by",
        "attempts", "deaths", "worker", "phase", "rows_read", "percent",
        "created_at", "started_at", "finished_at", "not_before", "lease_expires_at",
        "encoding", "delimiter", "sheet",
        "report", "roll_version", "rejects_key", "files_purged_at",
        "error_code", "error_message",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An upload in the upload store. `name` is the client's name for it, and is only shown."""

    key: str
    name: str
    size_bytes: int
    sha256: str
    format: str

    @property
    def columns(self) -> dict[str, Any]:
        """The values of the job's columns for this file."""
        return {
            "file_key": self.key,
            "file_name": self.name,
            "size_bytes": self.size_bytes,
            "sha256": self.sha256,
            "format": self.format,
        }


def create(
    file: StoredFile,
    *,
    uploaded_by: str,
    dry_run: bool = False,
    options: Mapping[str, Any] = NO_OPTIONS,
    idempotency_key: str | None = None,
) -> UUID:
    """Commit a PENDING job for a stored file. Return its id, the `task_id` of the API.

    `options` are the `ImportOptions` of the uploader. Raises peewee's IntegrityError if
    `uploaded_by` has used the key before.
    """
    return _insert(
        uploaded_by,
        dry_run=dry_run,
        options=dict(options),
        state=JobState.PENDING,
        idempotency_key=idempotency_key,
        duplicate_of=_latest_of(file.sha256),
        **file.columns,
    )


def create_started(
    file: StoredFile,
    *,
    uploaded_by: str,
    dry_run: bool,
    worker: str,
    lease_seconds: float,
    options: Mapping[str, Any] = NO_OPTIONS,
) -> Claim:
    """Commit a job that its creator has claimed already, so no worker can take it."""
    job_id = _insert(
        uploaded_by,
        dry_run=dry_run,
        options=dict(options),
        state=JobState.STARTED,
        attempts=1,
        worker=worker,
        started_at=clock(),
        lease_expires_at=clock(lease_seconds),
        phase=Phase.READING,
        duplicate_of=_latest_of(file.sha256),
        **file.columns,
    )
    return Claim(job_id, 1)


class FollowUpColumns(TypedDict, total=False):
    """The columns in which a follow-up job may differ from the earlier one."""

    dry_run: bool
    preview_of: UUID | None
    retry_of: UUID | None


def create_again(
    earlier: Job, *, uploaded_by: str, **new_values: Unpack[FollowUpColumns]
) -> UUID | None:
    """Commit a copy of a job as PENDING, with the values in `changed`. Return its id.

    Returns None if its files are purged. Returns a live job that follows from the same job in the
    same way, so two requests at once create one job. The purge waits for this transaction, and then
    finds that the file is still named.
    """
    old_values = {name: getattr(earlier, name) for name in _columns() - NOT_COPIED}
    values = {**old_values, "retry_of": None, **new_values}
    condition = Job.id.in_([earlier.id, values["preview_of"]])
    rows = Job.select(Job.id, Job.files_purged_at).where(condition).order_by(Job.id)
    with database.atomic():
        # SQLite runs one transaction at a time, so it needs no row lock.
        jobs = {job.id: job for job in (rows.for_update() if is_postgresql() else rows)}
        if live := live_follow_up(
            preview_of=values["preview_of"],
            retry_of=values["retry_of"],
            dry_run=values["dry_run"],
        ):
            return live
        if jobs[earlier.id].files_purged_at is not None:
            return None
        return _insert(uploaded_by, state=JobState.PENDING, **values)


def live_follow_up(
    *, preview_of: UUID | None = None, retry_of: UUID | None = None, dry_run: bool = False
) -> UUID | None:
    """Return the job that applies a preview or repeats a job, unless it failed or was cancelled."""
    if preview_of is None and retry_of is None:
        return None
    of_same = Job.preview_of == preview_of if preview_of else Job.retry_of == retry_of
    is_live = Job.state.not_in([JobState.FAILURE, JobState.REVOKED])
    query = Job.select(Job.id).where(of_same & (Job.dry_run == dry_run) & is_live)
    job: Job | None = query.order_by(Job.created_at).first()
    return None if job is None else job.id


def _columns() -> frozenset[str]:
    return frozenset(field.name for field in Job._meta.sorted_fields)


def _insert(uploaded_by: str, **values: Any) -> UUID:
    job_id = uuid4()
    query = Job.insert(
        id=job_id,
        uploaded_by=uploaded_by,
        request_id=request_id(),
        created_at=clock(),
        not_before=clock(),
        **values,
    )
    with database.atomic():
        query.execute()
        _record(job_id, values["dry_run"], values.get("preview_of"), values.get("retry_of"))
    return job_id


def _record(job_id: UUID, dry_run: bool, preview_of: UUID | None, retry_of: UUID | None) -> None:
    if retry_of:
        record(Action.RETRY, job_id, detail=f"of {retry_of}")
    elif preview_of:
        record(Action.APPLY, job_id, detail=f"of the preview {preview_of}")
    else:
        record(Action.UPLOAD, job_id, detail="as a preview" if dry_run else "")


def _latest_of(sha256: str) -> "ModelSelect[Job]":
    """Return a query for the latest earlier job with the same bytes.

    The query is part of the statement that creates the new job.
    """
    query = Job.select(Job.id).where(Job.sha256 == sha256)
    return query.order_by(Job.created_at.desc()).limit(1)


def find(job_id: UUID) -> Job | None:
    """Return the job as committed, or None."""
    job: Job | None = Job.get_or_none(Job.id == job_id)
    return job


def find_by_key(uploaded_by: str, idempotency_key: str) -> Job | None:
    """Return the job that was created under this caller's key, or None."""
    job: Job | None = Job.get_or_none(
        (Job.uploaded_by == uploaded_by) & (Job.idempotency_key == idempotency_key)
    )
    return job


def cancel(job_id: UUID, *, by: str) -> bool:
    """Move a job that is not final to REVOKED. Return False if there is no such job.

    A running attempt notices this at its next progress update, or at the latest when it wants to
    commit. It can then no longer write.
    """
    is_open = (Job.id == job_id) & Job.state.not_in(list(FINAL_STATES))
    with database.atomic():
        is_cancelled = conclude(job_id, is_open, state=JobState.REVOKED, cancelled_by=by)
        if is_cancelled:
            record(Action.CANCEL, job_id)
    return is_cancelled


def resend_report(job_id: UUID) -> bool:
    """Send the report email of a final job again.

    Returns False if there is no such job, or if its email is still to be sent.
    """
    with database.atomic():
        is_due = outbox.ask_again(job_id, Channel.MAIL)
        if is_due:
            record(Action.RESEND_REPORT, job_id)
    return is_due
