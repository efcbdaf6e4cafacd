"""The outboxes of finished jobs: report emails and webhook calls still to be sent.

The job row is its own outbox entry. If a sender dies, its entry is due again after two minutes.
Each message is therefore sent at least once, and rarely twice.
"""

from typing import Any
from uuid import UUID

from peewee import Case, Expression, Field, fn

from shared.database.sql import clock
from shared.jobs.models import Job
from shared.jobs.states import OutboxState

SENDING_SECONDS = 120.0
FIRST_RETRY_SECONDS = 5.0
MAX_RETRY_SECONDS = 1800.0
MAX_DOUBLINGS = 16
GIVE_UP_SECONDS = 24 * 3600.0


class Outbox:
    """The entries of one kind: the columns of the jobs table with its name as prefix.

    `asked_at` is the time of the last request to send again. From then on, the entry has another
    day to be sent.
    """

    def __init__(self, name: str, *, asked_at: Field | None = None) -> None:
        self._name = name
        self._state: Field = getattr(Job, name)
        self._attempts: Field = getattr(Job, f"{name}_attempts")
        self._due_at: Field = getattr(Job, f"{name}_due_at")
        self._began_at = fn.COALESCE(asked_at, Job.finished_at) if asked_at else Job.finished_at

    def claim(self) -> Job | None:
        """Claim one job with a due entry, for two minutes. Return None if there is none."""
        job: Job | None = Job.select().where(self._is_due()).order_by(self._due_at).first()
        if job is None:
            return None
        attempts = self._attempts_of(job)
        is_as_seen = (Job.id == job.id) & (self._attempts == attempts)
        taken = (
            self._set(attempts=attempts + 1, due_at=clock(SENDING_SECONDS))
            .where(is_as_seen & self._is_due())
            .execute()
        )
        return job if taken else None

    def note_sent(self, job_id: UUID, remark: str | None = None) -> None:
        """Mark the entry as sent. A remark says which recipients did not get it."""
        sent = self._set(state=OutboxState.SENT, sent_at=clock(), error=remark)
        sent.where(Job.id == job_id).execute()

    def note_nobody(self, job_id: UUID, reason: str) -> None:
        """Mark the entry as done, because there is no recipient."""
        self._set(state=OutboxState.NONE, error=reason).where(Job.id == job_id).execute()

    def note_unsent(self, job: Job, reason: str) -> None:
        """Schedule a retry with a growing delay.

        Gives up a day after the job's end, or after the last request to send again.
        """
        doublings = min(self._attempts_of(job), MAX_DOUBLINGS)
        delay_seconds = min(FIRST_RETRY_SECONDS * 2.0**doublings, MAX_RETRY_SECONDS)
        is_over = self._began_at < clock(-GIVE_UP_SECONDS)
        unsent = self._set(
            state=Case(None, [(is_over, OutboxState.FAILED)], OutboxState.PENDING),
            due_at=clock(delay_seconds),
            error=reason,
        )
        unsent.where(Job.id == job.id).execute()

    def _is_due(self) -> Expression:
        due: Expression = (self._state == OutboxState.PENDING) & (self._due_at <= clock())
        return due

    def _attempts_of(self, job: Job) -> int:
        return int(getattr(job, f"{self._name}_attempts"))

    def _set(self, state: Any = None, **values: Any) -> Any:
        columns = {f"{self._name}_{suffix}": value for suffix, value in values.items()}
        return Job.update(columns if state is None else {self._name: state, **columns})


REPORT_MAILS = Outbox("report_mail", asked_at=Job.report_mail_asked_at)
WEBHOOK_CALLS = Outbox("webhook")
