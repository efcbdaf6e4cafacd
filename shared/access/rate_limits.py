"""How often somebody may do something: counts in the database, which all web processes share.

A window begins with the first event and ends by the database's clock; the sweeper removes what
has ended. A subject is kept as its SHA-256: it is of one length then, and what a stranger types
as a name may be a password.
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
    """The events of one subject in its present window."""

    kind = TextField()
    subject = TextField()
    count = IntegerField()
    ends_at = DateTimeField(index=True)

    class Meta:
        primary_key = CompositeKey("kind", "subject")


@dataclass(frozen=True, slots=True)
class Limit:
    """So many events of a kind in a window."""

    kind: str
    most: int
    window_seconds: float


@dataclass(frozen=True, slots=True)
class Spent:
    """What a subject has done in its window, and how long that still lasts."""

    count: int
    seconds_left: float


NOTHING = Spent(0, 0.0)


def add_one(limit: Limit, subject: str) -> Spent:
    """Count an event; returns the count with it."""
    return add(limit, {subject: 1})[subject]


def add(limit: Limit, events: Mapping[str, int]) -> dict[str, Spent]:
    """Count the events of up to `BATCH` subjects, in one statement."""
    # In one order everywhere, so that two processes do not wait for each other.
    named = {_digest(subject): subject for subject in events}
    rows = [
        (limit.kind, digest, events[named[digest]], clock(limit.window_seconds))
        for digest in sorted(named)
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
        named[digest]: Spent(count, max(float(left), 0.0))
        for digest, count, left in query.execute()
    }


def spent(limit: Limit, subject: str) -> Spent:
    """The subject's present count."""
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
    return Spent(row[0], max(float(row[1]), 0.0)) if row else NOTHING


def forget(limit: Limit, subject: str) -> None:
    """Begin anew, as after a sign-in that succeeded."""
    RateCount.delete().where(
        (RateCount.kind == limit.kind) & (RateCount.subject == _digest(subject))
    ).execute()


def purge_ended() -> int:
    """Remove the counts whose window has ended; returns how many there were."""
    return int(RateCount.delete().where(RateCount.ends_at <= clock()).execute())


def _digest(subject: str) -> str:
    return hashlib.sha256(subject.encode("utf-8", "surrogateescape")).hexdigest()


def _seconds_left() -> Any:
    return seconds_between(RateCount.ends_at, clock())
