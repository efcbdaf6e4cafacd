"""The effects of a PostgreSQL that hangs but keeps its connections."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from benchmarks.rolls import write_csv
from shared.database.connection import ANSWER_SECONDS
from shared.database.postgresql import CONNECT_SECONDS
from shared.voters.roll import ROLL_LOCK_KEY
from tests.support.relay import Relay, relay_to
from tests.support.running import Answer, Service, is_running, running_service, wait_for

pytestmark = pytest.mark.service

SMALL = b"student_id,email\nback-1,back@x.edu\n"
# More than the web process has threads.
REQUESTS = 12
# Requests without a free thread wait until the first ones end.
ANSWERED_SECONDS = ANSWER_SECONDS + CONNECT_SECONDS + 3


@pytest.fixture
def relay(fresh_postgresql_url: str) -> Iterator[Relay]:
    with relay_to(fresh_postgresql_url) as opened:
        yield opened


@pytest.fixture
def service(relay: Relay, tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path, DATABASE_URL=relay.url, LEASE_SECONDS="3") as running:
        yield running


def is_lock_awaited(connection: "psycopg.Connection[tuple[object, ...]]") -> bool:
    """Whether a session waits for a lock in the database of the connection."""
    waiting = (
        "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = pg_locks.database"
        " WHERE NOT granted AND datname = current_database()"
    )
    return connection.execute(waiting).fetchone() is not None


def test_requests_get_503_in_time_and_work_again_afterwards(
    service: Service, relay: Relay, fresh_postgresql_url: str
) -> None:
    service.imported(SMALL)

    def timed(_: int) -> tuple[Answer, float]:
        asked_at = time.monotonic()
        return service.get("/api/voters/"), time.monotonic() - asked_at

    with (
        ThreadPoolExecutor(REQUESTS) as clients,
        psycopg.connect(fresh_postgresql_url) as other,
    ):
        # Fills the pool with connections.
        assert {answer.status for answer, _ in clients.map(timed, range(REQUESTS))} == {200}
        # The database hangs during the statement of the first request, before those of the others.
        other.execute("LOCK TABLE voter")
        first = clients.submit(timed, 0)
        wait_for(lambda: is_lock_awaited(other), "the request asks for no lock")
        relay.freeze()
        other.rollback()
        answers = [*clients.map(timed, range(REQUESTS - 1)), first.result()]
    assert {answer.status for answer, _ in answers} == {503}
    assert {answer.headers["Retry-After"] for answer, _ in answers} == {"5"}
    assert max(seconds for _, seconds in answers) < ANSWERED_SECONDS
    relay.thaw()
    wait_for(lambda: service.get("/api/voters/").status == 200, "no recovery")
    assert service.imported(SMALL)["state"] == "SUCCESS"


def test_a_worker_stops_in_3_seconds_and_another_does_its_job(
    service: Service, relay: Relay, tmp_path: Path
) -> None:
    roll = write_csv(tmp_path / "large.csv", 50_000).read_bytes()
    task_id = service.upload(roll).body["task_id"]
    children = wait_for(service.children, "no job process runs")
    relay.freeze()
    # After this time the worker waits for an answer, to renew the lease or to find jobs.
    time.sleep(2)
    asked_at = time.monotonic()
    service.signal("worker", signal.SIGTERM)
    assert service.wait_stopped("worker") == 0
    assert time.monotonic() - asked_at < 3
    # The job process notices the end of its worker a moment later.
    wait_for(lambda: not any(map(is_running, children)), "the job process is still alive")
    relay.thaw()
    service.start("worker")
    status = service.finished(task_id)
    assert (status["state"], status["report"]["created"]) == ("SUCCESS", 50_000)


def test_a_hung_job_process_does_not_outlive_its_killed_worker(
    service: Service, relay: Relay, tmp_path: Path
) -> None:
    service.upload(write_csv(tmp_path / "large.csv", 50_000).read_bytes())
    children = wait_for(service.children, "no job process runs")
    relay.freeze()
    service.signal("worker", signal.SIGKILL)
    service.wait_stopped("worker")
    wait_for(lambda: not any(map(is_running, children)), "the child lives on")


def test_a_frozen_attempt_with_the_roll_lock_blocks_no_other(
    fresh_postgresql_url: str, tmp_path: Path
) -> None:
    impatient = "options=-c%20idle_in_transaction_session_timeout%3D1000"
    with (
        running_service(
            tmp_path,
            DATABASE_URL=f"{fresh_postgresql_url}?{impatient}",
            CONSUMER_CONCURRENCY="2",
        ) as service,
        psycopg.connect(fresh_postgresql_url, autocommit=True) as other,
    ):
        other.execute("SELECT pg_advisory_lock(%s)", (ROLL_LOCK_KEY,))
        frozen = service.upload(SMALL).body["task_id"]
        (job_process,) = wait_for(service.children, "no job process runs")
        wait_for(lambda: is_lock_awaited(other), "the attempt asks for no lock")
        os.kill(job_process, signal.SIGSTOP)
        other.execute("SELECT pg_advisory_unlock(%s)", (ROLL_LOCK_KEY,))
        assert service.imported(b"student_id,email\nfree-1,free@x.edu\n")["state"] == "SUCCESS"
        assert service.status(frozen)["state"] == "STARTED"
        os.kill(job_process, signal.SIGCONT)
        status = service.finished(frozen)
        assert (status["state"], status["attempts"]) == ("SUCCESS", 2)
        assert service.voters().keys() == {"back-1", "free-1"}
