"""The workers there are: each tells every few seconds that it lives.

A worker takes its row away when it stops. One that was killed leaves it behind, and counts as
gone as soon as its last beat is old; a worker that was only held up beats again and is back.
"""

import os
import socket
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from peewee import DateTimeField, IntegerField, TextField, UUIDField

from shared.database.connection import BaseModel, unless_locked
from shared.database.sql import clock, seconds_between

BEAT_SECONDS = 5.0
# Nobody can write to SQLite while a large import is applied there, and no beat is written then.
ALIVE_SECONDS = 60.0
# Long enough for an operator to see on the next day which machine has lost its worker.
KEPT_SECONDS = 86_400.0


class Worker(BaseModel):
    """One worker process. Its jobs are those that name it and are STARTED."""

    # Told by the query of `all_workers`.
    seconds_since_beat: float = 0.0

    id = UUIDField(primary_key=True)
    host = TextField()
    pid = IntegerField()
    version = TextField()
    started_at = DateTimeField()
    beat_at = DateTimeField(index=True)
    # Names of its threads that have died or meet a defect with each turn; null for none.
    troubles = TextField(null=True)

    @property
    def name(self) -> str:
        """How jobs name it."""
        return f"{self.host}:{self.pid}"

    @property
    def is_alive(self) -> bool:
        """Whether a worker that `all_workers` has found was heard of a moment ago."""
        return float(self.seconds_since_beat) <= ALIVE_SECONDS


def this_worker(version: str) -> Worker:
    """A row for this process, not stored yet; a later process of that number is another worker."""
    return Worker(id=uuid4(), host=socket.gethostname(), pid=os.getpid(), version=version)


def beat(worker: Worker, *, troubles: Sequence[str] = ()) -> None:
    """Tell that the worker lives; the first time, that it is there.

    `troubles` are the names of its threads that do not do their work.
    """
    named = " ".join(troubles) or None
    Worker.insert(
        id=worker.id,
        host=worker.host,
        pid=worker.pid,
        version=worker.version,
        started_at=clock(),
        beat_at=clock(),
        troubles=named,
    ).on_conflict(
        conflict_target=[Worker.id], update={Worker.beat_at: clock(), Worker.troubles: named}
    ).execute()


def check_writable() -> None:
    """Change nothing, as a beat would change something: raises what keeps one from being written.

    Whoever holds SQLite's write lock has shown that it can be had.
    """
    with unless_locked():
        Worker.delete().where(Worker.id.is_null()).execute()


def leave(worker: Worker) -> None:
    """The worker stops."""
    Worker.delete().where(Worker.id == worker.id).execute()


def is_any_alive() -> bool:
    """Whether a waiting job has somebody to wait for."""
    return bool(Worker.select().where(Worker.beat_at >= clock(-ALIVE_SECONDS)).exists())


def is_any_in_trouble() -> bool:
    """Whether a living worker has a thread that does not do its work."""
    is_alive = Worker.beat_at >= clock(-ALIVE_SECONDS)
    return bool(Worker.select().where(is_alive & Worker.troubles.is_null(False)).exists())


def latest_beat() -> datetime | None:
    """When any worker was last heard of, as far as that is remembered; UTC, without a zone."""
    latest: Worker | None = Worker.select().order_by(Worker.beat_at.desc()).first()
    return None if latest is None else latest.beat_at


def all_workers() -> list[Worker]:
    """Those alive and those that went without a word, the newest first."""
    age = seconds_between(clock(), Worker.beat_at)
    query = Worker.select(Worker, age.alias("seconds_since_beat"))
    return list(query.order_by(Worker.started_at.desc()))


def forget_gone() -> int:
    """Remove the rows of workers that went long ago; returns how many there were."""
    return int(Worker.delete().where(Worker.beat_at < clock(-KEPT_SECONDS)).execute())
