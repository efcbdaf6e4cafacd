"""The workers: each writes every few seconds that it is alive.

A worker deletes its row when it stops. A killed worker leaves its row behind, and counts as gone
when its last beat is old. A worker that was only delayed writes a beat again and is back.
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
# SQLite accepts no write while a large import is applied, so no beat is written then.
ALIVE_SECONDS = 60.0
# Long enough for an operator to see on the next day which machine has lost its worker.
KEPT_SECONDS = 86_400.0


class Worker(BaseModel):
    """One worker process. Its jobs are the STARTED ones that name it."""

    # Set by the query of `all_workers`.
    seconds_since_beat: float = 0.0

    id = UUIDField(primary_key=True)
    host = TextField()
    pid = IntegerField()
    version = TextField()
    started_at = DateTimeField()
    beat_at = DateTimeField(index=True)
    # Names of its threads that have died or fail on every turn. Null means none.
    troubles = TextField(null=True)

    @property
    def name(self) -> str:
        """The name of the worker in its jobs."""
        return f"{self.host}:{self.pid}"

    @property
    def is_alive(self) -> bool:
        """Whether a worker that `all_workers` has found wrote a beat a moment ago."""
        return float(self.seconds_since_beat) <= ALIVE_SECONDS


def this_worker(version: str) -> Worker:
    """Return a row for this process, not stored yet.

    A later process with the same number is another worker.
    """
    return Worker(id=uuid4(), host=socket.gethostname(), pid=os.getpid(), version=version)


def beat(worker: Worker, *, troubles: Sequence[str] = ()) -> None:
    """Record that the worker is alive. The first call adds its row.

    `troubles` are the names of its threads that do not do their work.
    """
    codes = " ".join(troubles) or None
    Worker.insert(
        id=worker.id,
        host=worker.host,
        pid=worker.pid,
        version=worker.version,
        started_at=clock(),
        beat_at=clock(),
        troubles=codes,
    ).on_conflict(
        conflict_target=[Worker.id], update={Worker.beat_at: clock(), Worker.troubles: codes}
    ).execute()


def check_writable() -> None:
    """Raise the error that would prevent a beat from being written. Change nothing.

    If another process holds SQLite's write lock, the database can be written.
    """
    with unless_locked():
        Worker.delete().where(Worker.id.is_null()).execute()


def leave(worker: Worker) -> None:
    """Delete the row of a worker that stops."""
    Worker.delete().where(Worker.id == worker.id).execute()


def is_any_alive() -> bool:
    """Whether any worker is alive to take a waiting job."""
    return bool(Worker.select().where(Worker.beat_at >= clock(-ALIVE_SECONDS)).exists())


def is_any_in_trouble() -> bool:
    """Whether a living worker has a thread that does not do its work."""
    is_alive = Worker.beat_at >= clock(-ALIVE_SECONDS)
    return bool(Worker.select().where(is_alive & Worker.troubles.is_null(False)).exists())


def latest_beat() -> datetime | None:
    """Return the time of the last known beat of any worker, in UTC without a zone, or None."""
    latest: Worker | None = Worker.select().order_by(Worker.beat_at.desc()).first()
    return None if latest is None else latest.beat_at


def all_workers() -> list[Worker]:
    """Return the living workers, and those that disappeared, the newest first."""
    age = seconds_between(clock(), Worker.beat_at)
    query = Worker.select(Worker, age.alias("seconds_since_beat"))
    return list(query.order_by(Worker.started_at.desc()))


def forget_gone() -> int:
    """Delete the rows of workers that disappeared long ago. Return how many there were."""
    return int(Worker.delete().where(Worker.beat_at < clock(-KEPT_SECONDS)).execute())
