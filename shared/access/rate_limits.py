"""Rate limits: counts of events in the database, which all web processes share.

A window begins with the first event and ends by the database's clock. The sweeper removes ended
windows. A subject is stored only as its SHA-256, for two reasons. The hash has a fixed length, and
what a stranger types as a name may be a password.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import (
    EXCLUDED,
    Case,
    CompositeKey,
    DateTimeField,
    IntegerField,
    TextField,
)

from shared.database.connection import BaseModel
from shared.database.sql import clock, seconds_between

BATCH = 500


class RateCount(BaseModel):
    """The number of events of one subject in its current window."""

    kind = TextField()
    subject = TextField()
    count = IntegerField()
    ends_at = DateTimeField(index=True)

    class Meta:
        primary_key = CompositeKey("kind", "subject")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most this many events of a kind in a window."""

    kind: str
    most: int
    window_seconds: float


@dataclass(frozen=True, slots=True)
class WindowCount:
    """The count of a subject in its window, and the remaining time of the window."""

    count: int
    seconds_left: float


NOTHING = WindowCount(0, 0.0)


def add_one(limit: Limit, subject: str) -> WindowCount:
    """Count an event. Return the count including it."""
    return add(limit, {subject: 1})[subject]


def add(limit: Limit, events: Mapping[str, int]) -> dict[str, WindowCount]:
    """Count the events of up to `BATCH` subjects, in one statement."""
    # All processes use one order, so two do not wait for each other.
    subjects = {_digest(subject): subject for subject in events}
    rows = [
        (limit.kind, digest, events[subjects[digest]], clock(limit.window_seconds))
        for digest in sorted(subjects)
    ]
    has_ended = RateCount.ends_at <= clock()
    query = (
        RateCount.insert_many(
            rows,
            fields=[RateCount.kind, RateCount.subject, RateCount.count, RateCount.ends_at],
        )
        .on_conflict(
            conflict_target=[RateCount.kind, RateCount.subject],
            update={
                RateCount.count: Case(
                    None, [(has_ended, EXCLUDED.count)], RateCount.count + EXCLUDED.count
                ),
                RateCount.ends_at: Case(None, [(has_ended, EXCLUDED.ends_at)], RateCount.ends_at),
            },
        )
        .returning(RateCount.subject, RateCount.count, _seconds_left().alias("seconds_left"))
        .tuples()
    )
    return {
        subjects[digest]: WindowCount(count, max(float(seconds), 0.0))
        for digest, count, seconds in query.execute()
    }


def count_of(limit: Limit, subject: str) -> WindowCount:
    """Return the current count of the subject."""
    row = (
        RateCount.select(RateCount.count, _seconds_left())
        .where(
            (RateCount.kind == limit.kind)
            & (RateCount.subject == _digest(subject))
            & (RateCount.ends_at > clock())
        )
        .tuples()
        .first()
    )
    return WindowCount(row[0], max(float(row[1]), 0.0)) if row else NOTHING


def forget(limit: Limit, subject: str) -> None:
    """Delete the count of the subject, as after a successful sign-in."""
    RateCount.delete().where(
        (RateCount.kind == limit.kind) & (RateCount.subject == _digest(subject))
    ).execute()


def purge_ended() -> int:
    """Delete the counts whose window has ended. Return how many there were."""
    return int(RateCount.delete().where(RateCount.ends_at <= clock()).execute())


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode("utf-8", "surrogateescape")).hexdigest()


def _seconds_left() -> Any:
    return seconds_between(RateCount.ends_at, clock())
