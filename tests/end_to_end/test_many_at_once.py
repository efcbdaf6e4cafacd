"""Two workers import ten overlapping files: one applies at a time, and the service stays live."""

import signal
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path
from typing import Any

import psycopg
import pytest

from chaos.expected_roll import apply_in_order
from chaos.rolls import RollFile, make_roll
from tests.support.running import Service, running_service, wait_for

UPLOADS = 10
WORKERS = ("worker", "second worker")
AT_ONCE = 4
# If a reader waited for the writers, it would wait without an end, because the test blocks them.
ANSWER_SECONDS = 3
FIELDS = ("first_name", "last_name", "email", "department", "year", "is_eligible")


@pytest.fixture(params=["embedded", pytest.param("deployed", marks=pytest.mark.service)])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    settings = {"POLL_SECONDS": "0.25", "CONSUMER_CONCURRENCY": str(AT_ONCE // len(WORKERS))}
    if request.param == "deployed":
        settings |= {
            "DATABASE_URL": request.getfixturevalue("fresh_postgresql_url"),
            "BROKER_URL": request.getfixturevalue("fresh_rabbitmq_url"),
        }
    with running_service(tmp_path, **settings) as running:
        running.start("worker", "second worker")
        yield running


def large_rolls() -> list[RollFile]:
    """Large files with the same 4,000 student ids, each file with its own values."""
    rolls = (make_roll(4, number) for number in count(1))
    return list(islice((roll for roll in rolls if len(roll.voters) > 900), UPLOADS))


@contextmanager
def writers_held_up(database_url: str) -> Iterator[None]:
    """Block all changes of the roll while the block runs. On SQLite, block all writes."""
    if database_url.startswith("sqlite"):
        path = database_url.removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield
    else:
        with psycopg.connect(database_url) as connection:
            connection.execute("LOCK TABLE voter IN SHARE ROW EXCLUSIVE MODE")
            yield


def ask(service: Service, task: str) -> Any:
    asked_at = time.monotonic()
    status = service.status(task)
    assert time.monotonic() - asked_at < ANSWER_SECONDS
    return status


def are_applying(service: Service, tasks: list[str]) -> bool:
    """Whether all attempts that can run at once have reached the phase `applying`."""
    phases = [ask(service, task)["progress"]["phase"] for task in tasks]
    return phases.count("applying") == AT_ONCE


def counts_of(job: Any) -> dict[str, int]:
    return {name: job["report"][name] for name in ("created", "updated", "unchanged")}


def test_ten_uploads_at_once_have_the_result_of_ten_in_turn(service: Service) -> None:
    rolls = large_rolls()
    database_url = service.environment["DATABASE_URL"]
    for worker in WORKERS:
        service.signal(worker, signal.SIGSTOP)
    with ThreadPoolExecutor(UPLOADS) as threads:
        answers = list(threads.map(lambda roll: service.upload(roll.content, roll.name), rolls))
    assert [answer.status for answer in answers] == [202] * UPLOADS
    tasks = [str(answer.body["task_id"]) for answer in answers]
    with writers_held_up(database_url):
        for worker in WORKERS:
            service.signal(worker, signal.SIGCONT)
        if database_url.startswith("postgresql"):
            wait_for(lambda: are_applying(service, tasks), "the attempts do not meet")
        assert {ask(service, task)["finished_at"] for task in tasks} == {None}
        assert service.get("/api/voters/?page_size=1").body == []
    jobs = [service.finished(task, 120) for task in tasks]
    assert {(job["state"], job["attempts"]) for job in jobs} == {("SUCCESS", 1)}
    in_order = sorted(zip(jobs, rolls, strict=True), key=lambda pair: pair[0]["finished_at"])
    roll, counts = apply_in_order(file for _, file in in_order)
    assert [counts_of(job) for job, _ in in_order] == [asdict(expected) for expected in counts]
    assert roll == {
        student_id: tuple(voter[name] for name in FIELDS)
        for student_id, voter in service.voters().items()
    }
