"""The entries of finished jobs in the outbox, read and changed by tests."""

from uuid import UUID

from shared.jobs.models import OutboxEntry
from shared.jobs.states import Channel


def mail_of(job_id: UUID | str) -> OutboxEntry:
    """The entry of a job's report mail."""
    return _entry(job_id, Channel.MAIL)


def call_of(job_id: UUID | str) -> OutboxEntry:
    """The entry of a job's webhook call."""
    return _entry(job_id, Channel.WEBHOOK)


def _entry(job_id: UUID | str, channel: Channel) -> OutboxEntry:
    return OutboxEntry.get((OutboxEntry.job == job_id) & (OutboxEntry.channel == channel))


def set_mails(**values: object) -> None:
    """Change the entries of all report mails."""
    OutboxEntry.update(**values).where(OutboxEntry.channel == Channel.MAIL).execute()


def set_calls(**values: object) -> None:
    """Change the entries of all webhook calls."""
    OutboxEntry.update(**values).where(OutboxEntry.channel == Channel.WEBHOOK).execute()
