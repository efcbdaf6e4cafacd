"""Jobs as people see them: made, found, cancelled; `shared.jobs.attempts` has what workers do.

Every function is one statement or one transaction of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

from peewee import ModelSelect

from config.log_context import request_id
from shared.audit import Action, record
from shared.database import clock, database, is_postgresql
from shared.jobs.attempts import Claim, conclude
from shared.jobs.models import Job
from shared.jobs.states import FINAL_STATES, JobState, OutboxState, Phase

NO_OPTIONS: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An upload as the upload store has it. `name` is the client's and only ever shown."""

    key: str
    name: str
    size_bytes: int
    sha256: str
    format: str


def create(
    file: StoredFile,
    *,
    uploaded_by: str,
    dry_run: bool = False,
    options: Mapping[str, Any] = NO_OPTIONS,
    idempotency_key: str | None = None,
    preview_of: UUID | None = None,
    retry_of: UUID | None = None,
) -> UUID:
    """Commit a PENDING job for a stored file; returns its id, which is the task id.

    `options` are the `ImportOptions` that the uploader gave; `preview_of` and `retry_of` name the
    job whose file this one imports. Raises peewee's IntegrityError when `uploaded_by` has used the
    key before.
    """
    return _insert(
        file,
        uploaded_by,
        dry_run,
        options,
        state=JobState.PENDING,
        idempotency_key=idempotency_key,
        preview_of=preview_of,
        retry_of=retry_of,
        duplicate_of=None if preview_of or retry_of else _latest_of(file.sha256),
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
    """Commit a job that its creator has claimed already, so that no worker can take it."""
    job_id = _insert(
        file,
        uploaded_by,
        dry_run,
        options,
        state=JobState.STARTED,
        attempts=1,
        worker=worker,
        started_at=clock(),
        lease_expires_at=clock(lease_seconds),
        phase=Phase.READING,
        duplicate_of=_latest_of(file.sha256),
    )
    return Claim(job_id, 1)


def create_again(
    earlier: Job,
    *,
    uploaded_by: str,
    dry_run: bool,
    preview_of: UUID | None = None,
    retry_of: UUID | None = None,
) -> UUID | None:
    """Commit a PENDING job for the file and options of another; None when its files are purged.

    Whoever purges them waits for this transaction, and then finds that the file is still named.
    """
    kept = Job.select(Job.id).where((Job.id == earlier.id) & Job.files_purged_at.is_null())
    with database.atomic():
        if not (kept.for_update() if is_postgresql() else kept).exists():
            return None
        return create(
            StoredFile(
                key=earlier.file_key,
                name=earlier.file_name,
                size_bytes=earlier.size_bytes,
                sha256=earlier.sha256,
                format=earlier.format,
            ),
            uploaded_by=uploaded_by,
            dry_run=dry_run,
            options=earlier.options,
            preview_of=preview_of,
            retry_of=retry_of,
        )


def _insert(
    file: StoredFile,
    uploaded_by: str,
    dry_run: bool,
    options: Mapping[str, Any],
    **values: Any,
) -> UUID:
    job_id = uuid4()
    query = Job.insert(
        id=job_id,
        uploaded_by=uploaded_by,
        dry_run=dry_run,
        options=dict(options),
        request_id=request_id(),
        created_at=clock(),
        not_before=clock(),
        file_key=file.key,
        file_name=file.name,
        size_bytes=file.size_bytes,
        sha256=file.sha256,
        format=file.format,
        **values,
    )
    with database.atomic():
        query.execute()
        _record(job_id, dry_run, values.get("preview_of"), values.get("retry_of"))
    return job_id


def _record(job_id: UUID, dry_run: bool, preview_of: UUID | None, retry_of: UUID | None) -> None:
    if preview_of:
        record(Action.APPLY, job_id, detail=f"of the preview {preview_of}")
    elif retry_of:
        record(Action.RETRY, job_id, detail=f"of {retry_of}")
    else:
        record(Action.UPLOAD, job_id, detail="as a preview" if dry_run else "")


def _latest_of(sha256: str) -> "ModelSelect[Job]":
    """The last job before that got the same bytes; part of the statement that makes the new one."""
    query = Job.select(Job.id).where(Job.sha256 == sha256)
    return query.order_by(Job.created_at.desc()).limit(1)


def find(job_id: UUID) -> Job | None:
    """The job as committed, or None."""
    job: Job | None = Job.get_or_none(Job.id == job_id)
    return job


def find_by_key(uploaded_by: str, idempotency_key: str) -> Job | None:
    """The job that was made under this caller's key, or None."""
    job: Job | None = Job.get_or_none(
        (Job.uploaded_by == uploaded_by) & (Job.idempotency_key == idempotency_key)
    )
    return job


def cancel(job_id: UUID, *, by: str) -> bool:
    """Move a job that is not final to REVOKED; False when there is no such job.

    A running attempt finds itself fenced out when it next tells its progress, or at the latest
    when it wants to commit.
    """
    is_open = (Job.id == job_id) & Job.state.not_in(list(FINAL_STATES))
    with database.atomic():
        is_cancelled = conclude(is_open, state=JobState.REVOKED, cancelled_by=by)
        if is_cancelled:
            record(Action.CANCEL, job_id)
    return is_cancelled


def resend_report(job_id: UUID) -> bool:
    """Have the report mail of a final job sent once more; False when there is no such job."""
    query = Job.update(
        report_mail=OutboxState.PENDING, report_mail_due_at=clock(), report_mail_error=None
    ).where((Job.id == job_id) & Job.state.in_(list(FINAL_STATES)))
    with database.atomic():
        is_due = bool(query.execute())
        if is_due:
            record(Action.RESEND_REPORT, job_id)
    return is_due
