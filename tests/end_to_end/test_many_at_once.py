"""Ten rolls at once that overlap, two workers: applied one after the other, and all stays live."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from running import Service, running_service

from torture.reference import apply_in_order
from torture.rolls import RollFile, make_roll

UPLOADS = 10
# A reader that waits for a writer waits for many seconds here, one on a busy machine for less.
ANSWER_SECONDS = 3
FIELDS = ("first_name", "last_name", "email", "department", "year", "is_eligible")


@pytest.fixture(params=["embedded", pytest.param("deployed", marks=pytest.mark.service)])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    settings = {"POLL_SECONDS": "0.25"}
    if request.param == "deployed":
        settings |= {
            "DATABASE_URL": request.getfixturevalue("fresh_postgresql_url"),
            "BROKER_URL": request.getfixturevalue("fresh_rabbitmq_url"),
        }
    with running_service(tmp_path, **settings) as running:
        running.start("worker", "second worker")
        yield running


def large_rolls() -> list[RollFile]:
    """Of the same 4,000 voters, each with values of its own."""
    rolls = (make_roll(4, number) for number in count(1))
    return list(islice((roll for roll in rolls if len(roll.voters) > 900), UPLOADS))


def slowest_status(service: Service, tasks: list[str], is_over: threading.Event) -> float:
    """The seconds of the slowest answer to a question after a job."""
    slowest = 0.0
    while not is_over.is_set():
        for task in tasks:
            asked_at = time.monotonic()
            service.status(task)
            slowest = max(slowest, time.monotonic() - asked_at)
    return slowest


def told(job: Any) -> dict[str, int]:
    return {name: job["report"][name] for name in ("created", "updated", "unchanged")}


def test_ten_uploads_at_once_come_out_as_if_one_after_the_other(service: Service) -> None:
    rolls = large_rolls()
    with ThreadPoolExecutor(UPLOADS + 1) as threads:
        answers = list(threads.map(lambda roll: service.upload(roll.content, roll.name), rolls))
        assert [answer.status for answer in answers] == [202] * UPLOADS
        tasks = [str(answer.body["task_id"]) for answer in answers]
        is_over = threading.Event()
        watch = threads.submit(slowest_status, service, tasks, is_over)
        try:
            jobs = [service.finished(task, 120) for task in tasks]
        finally:
            is_over.set()
        assert watch.result() < ANSWER_SECONDS
    assert {(job["state"], job["attempts"]) for job in jobs} == {("SUCCESS", 1)}
    in_order = sorted(zip(jobs, rolls, strict=True), key=lambda pair: pair[0]["finished_at"])
    roll, counts = apply_in_order(file for _, file in in_order)
    assert [told(job) for job, _ in in_order] == [asdict(expected) for expected in counts]
    assert roll == {
        student_id: tuple(voter[name] for name in FIELDS)
        for student_id, voter in service.voters().items()
    }
