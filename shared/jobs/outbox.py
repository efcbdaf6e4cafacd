"""Report mails to send: a finished job is its own outbox entry until its mail is out."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from peewee import Expression

from shared.database import clock
from shared.jobs.models import Job
from shared.jobs.states import MailState

SENDING_SECONDS = 120.0
FIRST_RETRY_SECONDS = 5.0
MAX_RETRY_SECONDS = 1800.0
GIVE_UP_AFTER = timedelta(days=1)


def claim_due_mail() -> Job | None:
    """Take one job whose mail is due, for two minutes; None when there is none.

    A sender that dies leaves the mail due again afterwards: at least once, seldom twice.
    """
    job: Job | None = Job.select().where(_is_due()).order_by(Job.report_mail_due_at).first()
    if job is None:
        return None
    taken = (
        Job.update(
            report_mail_attempts=job.report_mail_attempts + 1,
            report_mail_due_at=clock(SENDING_SECONDS),
        )
        .where(
            (Job.id == job.id) & (Job.report_mail_attempts == job.report_mail_attempts) & _is_due()
        )
        .execute()
    )
    return job if taken else None


def _is_due() -> Expression:
    due: Expression = (Job.report_mail == MailState.PENDING) & (Job.report_mail_due_at <= clock())
    return due


def note_sent(job_id: UUID, remark: str | None = None) -> None:
    """The mail server has taken the mail; a remark says for whom it has not."""
    _update(
        job_id,
        report_mail=MailState.SENT,
        report_mail_sent_at=clock(),
        report_mail_error=remark,
    )


def note_no_recipient(job_id: UUID) -> None:
    """Nobody is to be told; the job's mail is done."""
    _update(job_id, report_mail=MailState.NONE, report_mail_error="No ADMIN_EMAIL is set.")


def note_unsent(job: Job, reason: str, *, now: Callable[[], datetime]) -> None:
    """Try again later, with a growing delay, for a day after the job's end."""
    delay_seconds = min(FIRST_RETRY_SECONDS * 2.0**job.report_mail_attempts, MAX_RETRY_SECONDS)
    is_last = job.finished_at is not None and now() - job.finished_at > GIVE_UP_AFTER
    _update(
        job.id,
        report_mail=MailState.FAILED if is_last else MailState.PENDING,
        report_mail_due_at=clock(delay_seconds),
        report_mail_error=reason,
    )


def _update(job_id: UUID, **values: object) -> None:
    Job.update(**values).where(Job.id == job_id).execute()
