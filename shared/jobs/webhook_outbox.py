"""Webhook calls to make: a finished job is its own outbox entry until its call is answered.

As in `shared.jobs.outbox`, what is claimed and not settled is due again: at least once.
"""

from uuid import UUID

from peewee import Expression

from shared.database import clock
from shared.jobs.models import Job
from shared.jobs.states import WebhookState

CALLING_SECONDS = 120.0
FIRST_RETRY_SECONDS = 5.0
MAX_RETRY_SECONDS = 1800.0
GIVE_UP_SECONDS = 24 * 3600.0
MAX_DOUBLINGS = 16


def claim_due_call() -> Job | None:
    """Take one job whose call is due, for two minutes; None when there is none."""
    job: Job | None = Job.select().where(_is_due()).order_by(Job.webhook_due_at).first()
    if job is None:
        return None
    is_as_seen = (Job.id == job.id) & (Job.webhook_attempts == job.webhook_attempts)
    taken = (
        Job.update(webhook_attempts=job.webhook_attempts + 1, webhook_due_at=clock(CALLING_SECONDS))
        .where(is_as_seen & _is_due())
        .execute()
    )
    return job if taken else None


def _is_due() -> Expression:
    due: Expression = (Job.webhook == WebhookState.PENDING) & (Job.webhook_due_at <= clock())
    return due


def note_told(job_id: UUID) -> None:
    """The receiver has taken the call."""
    _update(job_id, webhook=WebhookState.SENT, webhook_sent_at=clock(), webhook_error=None)


def note_no_receiver(job_id: UUID) -> None:
    """Nobody is to be told; the job's call is done."""
    _update(job_id, webhook=WebhookState.NONE, webhook_error="No WEBHOOK_URL is set.")


def note_untold(job: Job, reason: str) -> None:
    """Try again later, with a growing delay, for a day after the job's end."""
    doublings = min(job.webhook_attempts, MAX_DOUBLINGS)
    delay_seconds = min(FIRST_RETRY_SECONDS * 2.0**doublings, MAX_RETRY_SECONDS)
    _update(job.id, webhook_due_at=clock(delay_seconds), webhook_error=reason)
    is_over = (Job.id == job.id) & (Job.finished_at < clock(-GIVE_UP_SECONDS))
    Job.update(webhook=WebhookState.FAILED).where(is_over).execute()


def _update(job_id: UUID, **values: object) -> None:
    Job.update(**values).where(Job.id == job_id).execute()
