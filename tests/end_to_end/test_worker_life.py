"""What happens to jobs if processes stop, die or get no messages."""

import json
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from uuid import uuid4

import psycopg
import pytest

from benchmarks.rolls import write_csv
from shared.broker.connection import consumer_connection
from shared.broker.message import encode
from shared.broker.queues import DEAD_QUEUE, EXCHANGE, QUEUE
from tests.support.frozen import started_job
from tests.support.relay import relay_to
from tests.support.running import (
    Service,
    is_running,
    running_service,
    wait_for,
    wait_for_failed_transactions,
)

HEADER = "student_id,email\n"
# More than one batch, so the job records progress before its end.
LARGE_ROWS = 100_000


@pytest.fixture(params=["embedded", pytest.param("deployed", marks=pytest.mark.service)])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    settings = {"LEASE_SECONDS": "2"}
    if request.param == "deployed":
        settings |= {
            "DATABASE_URL": request.getfixturevalue("fresh_postgresql_url"),
            "BROKER_URL": request.getfixturevalue("fresh_rabbitmq_url"),
        }
    with running_service(tmp_path, **settings) as running:
        yield running


def large_roll(folder: Path) -> bytes:
    return write_csv(folder / "large.csv", LARGE_ROWS).read_bytes()


def test_sigterm_returns_the_job_in_3_seconds_for_another_worker(
    service: Service, tmp_path: Path
) -> None:
    with started_job(service, large_roll(tmp_path)) as job:
        asked_at = time.monotonic()
        service.signal("worker", signal.SIGTERM)
        job.wait_until_terminated()
    assert service.wait_stopped("worker", 3) == 0
    assert time.monotonic() - asked_at < 3
    assert service.status(job.task_id)["state"] == "RETRY"
    assert service.get("/api/voters/?page_size=1").body == []
    service.start("worker")
    status = service.finished(job.task_id)
    assert (status["state"], status["attempts"]) == ("SUCCESS", 2)
    assert status["report"]["created"] == LARGE_ROWS


def test_a_killed_worker_ends_its_child_and_the_job_is_done_once(
    service: Service, tmp_path: Path
) -> None:
    with started_job(service, large_roll(tmp_path)) as job:
        service.signal("worker", signal.SIGKILL)
        service.wait_stopped("worker")
    service.start("worker")
    status = service.finished(job.task_id)
    assert (status["state"], status["attempts"]) == ("SUCCESS", 2)
    assert status["report"]["created"] == LARGE_ROWS


def test_two_workers_share_the_jobs_and_each_is_applied_once(service: Service) -> None:
    service.start("worker", "second worker")
    tasks = [
        service.upload(f"{HEADER}both-{number},both{number}@x.edu\n".encode()).body["task_id"]
        for number in range(8)
    ]
    assert [service.finished(task)["report"]["created"] for task in tasks] == [1] * 8
    assert len(service.voters()) == 8


def test_an_upload_while_no_worker_runs_is_done_when_one_starts(service: Service) -> None:
    service.signal("worker", signal.SIGTERM)
    service.wait_stopped("worker", 3)
    task_id = service.upload(f"{HEADER}later-1,later@x.edu\n".encode()).body["task_id"]
    status = service.status(task_id)
    assert (status["state"], status["result"], status["started_at"]) == ("PENDING", None, None)
    service.start("worker")
    assert service.finished(task_id)["state"] == "SUCCESS"


def test_a_job_whose_message_is_not_sent_is_found_by_polling(tmp_path: Path) -> None:
    with running_service(tmp_path, BROKER_URL="amqp://guest:guest@127.0.0.1:1//") as service:
        seconds = []
        for number in range(3):
            asked_at = time.monotonic()
            answer = service.upload(f"{HEADER}deaf-{number},deaf{number}@x.edu\n".encode())
            seconds.append(time.monotonic() - asked_at)
            assert answer.status == 202
            assert service.finished(answer.body["task_id"])["state"] == "SUCCESS"
        # The median, because a busy machine may delay one of them.
        assert median(seconds) < 2, seconds


@pytest.mark.service
def test_unusable_messages_are_dead_lettered_and_work_continues(
    tmp_path: Path, fresh_postgresql_url: str, fresh_rabbitmq_url: str
) -> None:
    bodies = (
        (b"{", "application/json"),
        (b"\x80\x02K\x01.", "application/x-python-serialize"),
        (b'{"version": 99, "job_id": "x"}', "application/json"),
        (json.dumps(encode(uuid4())).encode(), "application/json"),
    )
    with (
        running_service(
            tmp_path, DATABASE_URL=fresh_postgresql_url, BROKER_URL=fresh_rabbitmq_url
        ) as service,
        consumer_connection(fresh_rabbitmq_url) as connection,
    ):
        service.imported(f"{HEADER}before-1,before@x.edu\n".encode())
        for body, content_type in bodies:
            connection.Producer().publish(
                body,
                exchange=EXCHANGE,
                routing_key=QUEUE.routing_key,
                content_type=content_type,
                content_encoding="utf-8" if content_type == "application/json" else "binary",
            )
        dead = DEAD_QUEUE.bind(connection.channel())
        wait_for(
            lambda: dead.queue_declare(passive=True).message_count == len(bodies),
            "the messages are not in the dead-letter queue",
        )
        assert service.imported(f"{HEADER}after-1,after@x.edu\n".encode())["state"] == "SUCCESS"


def test_a_child_does_not_outlive_its_killed_worker(service: Service, tmp_path: Path) -> None:
    with started_job(service, large_roll(tmp_path)) as job:
        service.signal("worker", signal.SIGKILL)
        service.wait_stopped("worker")
        assert is_running(job.process)
    wait_for(lambda: not is_running(job.process), "the child lives on")
    # The job has not finished.
    assert service.status(job.task_id)["state"] in ("STARTED", "RETRY")


def test_a_locked_database_does_not_keep_a_worker_from_stopping(tmp_path: Path) -> None:
    with running_service(tmp_path, LEASE_SECONDS="2") as service:
        with closing(sqlite3.connect(tmp_path / "voters.db", isolation_level=None)) as other:
            with started_job(service, large_roll(tmp_path)) as job:
                other.execute("BEGIN IMMEDIATE")
            service.signal("worker", signal.SIGTERM)
            assert service.wait_stopped("worker", 3) == 0
            other.execute("ROLLBACK")
        service.start("worker")
        assert service.finished(job.task_id)["state"] == "SUCCESS"


@pytest.mark.service
def test_a_worker_survives_a_database_that_is_not_migrated_yet(
    tmp_path: Path, fresh_postgresql_url: str
) -> None:
    with running_service(tmp_path, DATABASE_URL=fresh_postgresql_url) as service:
        with psycopg.connect(fresh_postgresql_url, autocommit=True) as connection:
            connection.execute("ALTER TABLE job RENAME TO job_away")
            wait_for_failed_transactions(fresh_postgresql_url, 3)
            connection.execute("ALTER TABLE job_away RENAME TO job")
        assert service.imported(f"{HEADER}back-1,back@x.edu\n".encode())["state"] == "SUCCESS"
        assert service.processes["worker"].poll() is None


@pytest.mark.service
def test_a_hung_broker_does_not_stop_jobs_or_delay_a_shutdown(
    tmp_path: Path, fresh_postgresql_url: str, fresh_rabbitmq_url: str
) -> None:
    with (
        relay_to(fresh_rabbitmq_url) as relay,
        running_service(
            tmp_path, DATABASE_URL=fresh_postgresql_url, BROKER_URL=relay.url
        ) as service,
    ):
        with started_job(service, large_roll(tmp_path)) as job:
            relay.freeze()
            accepted = relay.accepted
        # The worker has asked for messages without an answer, and now waits for a new connection.
        wait_for(lambda: relay.accepted > accepted, "the worker does not give up")
        assert service.finished(job.task_id)["state"] == "SUCCESS"
        with started_job(service, large_roll(tmp_path)) as job:
            service.signal("worker", signal.SIGTERM)
            job.wait_until_terminated()
        assert service.wait_stopped("worker", 3) == 0
        assert service.status(job.task_id)["state"] == "RETRY"
