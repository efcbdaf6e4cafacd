"""Clients that upload files and read statuses while something else happens."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

from tests.support.running import Service

# Status requests for each upload. A job costs the machine far more than a request.
QUESTIONS = 10
PAUSE_SECONDS = 0.2


@dataclass
class Load:
    """What the clients have seen: accepted jobs and failures.

    `jobs` maps the student id of a job's only voter to the job's id.
    """

    jobs: dict[str, str] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


@contextmanager
def load_on(service: Service, clients: int = 2) -> Iterator[Load]:
    """Run clients while the block runs. Each uploads files of one row and reads their status."""
    load = Load()
    over = threading.Event()
    numbers = count(1)

    def go_on() -> None:
        while not over.is_set():
            student_id = f"load-{next(numbers)}"
            try:
                _use(service, load, student_id)
            except (OSError, AssertionError) as error:
                load.failures.append(f"{student_id}: {error!r}")

    threads = [threading.Thread(target=go_on) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _use(service: Service, load: Load, student_id: str) -> None:
    roll = f"student_id,email\n{student_id},{student_id}@x.edu\n"
    answer = service.upload(roll.encode())
    assert answer.status == 202, answer
    load.jobs[student_id] = answer.body["task_id"]
    for _ in range(QUESTIONS):
        service.status(answer.body["task_id"])
        time.sleep(PAUSE_SECONDS)
