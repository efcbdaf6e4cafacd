"""The known workers, and what the service reports about them to those who wait."""

from functools import partial
from uuid import UUID

import pytest

from shared import workers
from shared.database.sql import clock
from shared.jobs import jobs, transitions
from shared.jobs.jobs import StoredFile
from shared.jobs.states import JobState
from shared.jobs.status_document import NOBODY, STATUS, describe
from shared.workers import ALIVE_SECONDS, KEPT_SECONDS, Worker

pytestmark = pytest.mark.usefixtures("any_database")
FILE = StoredFile("key", "roll.csv", 10, "sha", "csv")


def said_of(job_id: UUID) -> str:
    job = jobs.find(job_id)
    assert job is not None
    return str(describe(job)["status"])


def silent_for(seconds: float) -> None:
    Worker.update(beat_at=clock(-seconds)).execute()


def test_a_worker_is_known_from_its_first_beat_until_it_leaves() -> None:
    worker = workers.this_worker("1.2")
    workers.beat(worker)
    Worker.update(started_at=clock(-100), beat_at=clock(-50)).execute()
    workers.beat(worker)
    [known] = workers.all_workers()
    assert (known.name, known.version, known.is_alive) == (worker.name, "1.2", True)
    assert 99 < (known.beat_at - known.started_at).total_seconds() < 110
    assert workers.latest_beat() == known.beat_at
    workers.leave(worker)
    assert workers.all_workers() == []
    assert workers.latest_beat() is None


def test_a_silent_worker_is_gone_until_it_beats_or_is_forgotten() -> None:
    """The service forgets a worker that is silent for a day."""
    worker = workers.this_worker("1")
    workers.beat(worker)
    silent_for(ALIVE_SECONDS + 1)
    assert not workers.is_any_alive()
    assert not workers.all_workers()[0].is_alive
    workers.beat(worker)
    assert workers.is_any_alive()
    silent_for(KEPT_SECONDS - 60)
    assert workers.forget_gone() == 0
    silent_for(KEPT_SECONDS + 1)
    assert workers.forget_gone() == 1


def test_a_job_that_waits_without_a_worker_says_so() -> None:
    job_id = jobs.create(FILE, uploaded_by="tests")
    said = partial(said_of, job_id)
    assert said() == f"Waiting for a worker. {NOBODY}"
    workers.beat(workers.this_worker("1"))
    assert said() == "Waiting for a worker."
    claim = transitions.claim(job_id, worker="w", lease_seconds=9, max_attempts=3)
    assert claim is not None
    transitions.release(claim, death=None, max_attempts=3)
    silent_for(ALIVE_SECONDS + 1)
    assert said().endswith(NOBODY)
    claim = transitions.claim(job_id, worker="w", lease_seconds=9, max_attempts=3)
    assert said() == "Reading the file: 0 rows so far."


def test_a_job_reports_its_lost_worker_until_another_takes_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    job_id = jobs.create(FILE, uploaded_by="tests")
    transitions.claim(job_id, worker="host:1", lease_seconds=-1, max_attempts=3)
    assert said_of(job_id) == f"{STATUS[JobState.RETRY]} {NOBODY}"
    workers.beat(workers.this_worker("1"))
    assert said_of(job_id) == "Reading the file: 0 rows so far."
    transitions.claim(job_id, worker="host:2", lease_seconds=9, max_attempts=3)
    [line] = caplog.records
    told = [vars(line)[name] for name in ("levelname", "message", "attempt", "lost_worker")]
    assert told == ["WARNING", "lease ran out", 1, "host:1"]
