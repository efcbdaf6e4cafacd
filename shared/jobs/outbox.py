"""The outbox of finished jobs: report emails and webhook calls to be sent.

The transaction that ends a job also adds its entries here. If a sender dies, its entry is due again
after two minutes. Each mail or call is therefore sent at least once, and rarely twice.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from peewee import Case, Expression, fn

from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs.models import Job, OutboxEntry
from shared.jobs.states import Channel, OutboxState

SENDING_SECONDS = 120.0
FIRST_RETRY_SECONDS = 5.0
MAX_RETRY_SECONDS = 1800.0
MAX_DOUBLINGS = 16
GIVE_UP_SECONDS = 24 * 3600.0


def add_entries(job_id: UUID) -> None:
    """Add an entry for each channel. Call it in the transaction that ends the job."""
    OutboxEntry.insert_many(
        {
            "job": job_id,
            "channel": channel,
            "state": OutboxState.PENDING,
            "due_at": clock(),
            "asked_at": clock(),
        }
        for channel in Channel
    ).execute()


def ask_again(job_id: UUID, channel: Channel) -> bool:
    """Make an entry due again, with another day of attempts.

    Returns False if the job is not final, or if the entry is still to be sent.
    """
    query = OutboxEntry.update(
        state=OutboxState.PENDING, attempts=0, due_at=clock(), asked_at=clock(), error=None
    ).where(
        (OutboxEntry.job == job_id)
        & (OutboxEntry.channel == channel)
        & (OutboxEntry.state != OutboxState.PENDING)
    )
    return bool(query.execute())


def claim(channel: Channel) -> OutboxEntry | None:
    """Claim one due entry with its job, for two minutes. Return None if there is none.

    The new number of attempts guards what the sender writes afterwards.
    """
    is_due = (OutboxEntry.channel == channel) & (OutboxEntry.due_at <= clock())
    query = OutboxEntry.select(OutboxEntry, Job).join(Job)
    entry: OutboxEntry | None = (
        query.where(is_due & (OutboxEntry.state == OutboxState.PENDING))
        .order_by(OutboxEntry.due_at)
        .first()
    )
    if entry is None:
        return None
    attempts = entry.attempts + 1
    is_ours = _move(entry, is_due, attempts=attempts, due_at=clock(SENDING_SECONDS))
    entry.attempts = attempts
    return entry if is_ours else None


def note_sent(entry: OutboxEntry, remark: str | None = None) -> None:
    """Mark a claimed entry as sent. A remark says which recipients did not get it."""
    _move(entry, state=OutboxState.SENT, sent_at=clock(), error=remark)


def note_nobody(entry: OutboxEntry, reason: str) -> None:
    """Mark a claimed entry as done, because there is no recipient."""
    _move(entry, state=OutboxState.NONE, error=reason)


def note_unsent(entry: OutboxEntry, reason: str) -> None:
    """Schedule a retry of a claimed entry with a growing delay.

    Gives up a day after the job's end, or after the last request to send again.
    """
    doublings = min(entry.attempts - 1, MAX_DOUBLINGS)
    delay_seconds = min(FIRST_RETRY_SECONDS * 2.0**doublings, MAX_RETRY_SECONDS)
    is_over = OutboxEntry.asked_at < clock(-GIVE_UP_SECONDS)
    _move(
        entry,
        state=Case(None, [(is_over, OutboxState.FAILED)], OutboxState.PENDING),
        due_at=clock(delay_seconds),
        error=reason,
    )


def _move(entry: OutboxEntry, *conditions: Expression, **values: Any) -> bool:
    """Change an entry that is still pending and has the same number of attempts."""
    query = OutboxEntry.update(**values).where(
        OutboxEntry.job == entry.job_id,
        OutboxEntry.channel == entry.channel,
        OutboxEntry.state == OutboxState.PENDING,
        OutboxEntry.attempts == entry.attempts,
        *conditions,
    )
    return bool(query.execute())


def entries_of(jobs: Iterable[Job]) -> dict[UUID, dict[str, OutboxEntry]]:
    """Return the entries of jobs, by job id and channel.

    A job that was not final when it was read has blank entries with the state `none`.
    """
    finality = {job.id: job.finished_at is not None for job in jobs}
    entries: dict[UUID, dict[str, OutboxEntry]] = {
        job_id: {channel: OutboxEntry(job=job_id, channel=channel) for channel in Channel}
        for job_id in finality
    }
    final = [job_id for job_id, is_final in finality.items() if is_final]
    for entry in OutboxEntry.select().where(OutboxEntry.job.in_(final)):
        entries[entry.job_id][entry.channel] = entry
    return entries


def count_states() -> dict[Channel, Counter[str]]:
    """Count the entries of each channel by state."""
    query = OutboxEntry.select(
        OutboxEntry.channel, OutboxEntry.state, fn.COUNT(OutboxEntry.state)
    ).group_by(OutboxEntry.channel, OutboxEntry.state)
    counts: dict[Channel, Counter[str]] = {channel: Counter() for channel in Channel}
    for channel, state, entries in database.execute(query):
        counts[Channel(channel)][state] = entries
    return counts
