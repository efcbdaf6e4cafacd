"""What Locust runs: programs that read statuses, programs that read the roll, offices that upload.

Each works at a fixed rate, so that the figures tell how long an answer takes at that load rather
than how much load a machine can take.
"""

import os
from itertools import count
from pathlib import Path

from locust import FastHttpUser, constant_throughput, task

HEADERS = {"Authorization": f"Bearer {os.environ['LOAD_TOKEN']}"}
RUNNING_JOBS = os.environ["LOAD_JOBS"].split(",")
SMALL_ROLL = Path(os.environ["LOAD_ROLL"]).read_bytes()
VOTERS = int(os.environ["LOAD_VOTERS"])
numbers = count()


class StatusReader(FastHttpUser):
    """Polls the statuses of jobs that run or wait, without the long poll, ten times a second."""

    fixed_count = 4
    wait_time = constant_throughput(10)

    @task
    def read(self) -> None:
        """Each job in turn."""
        job_id = RUNNING_JOBS[next(numbers) % len(RUNNING_JOBS)]
        self.client.get(f"/api/task-status/{job_id}/", name="status", headers=HEADERS)


class VoterReader(FastHttpUser):
    """Reads the roll, five times in two seconds."""

    fixed_count = 4
    wait_time = constant_throughput(2.5)

    @task(4)
    def first_page(self) -> None:
        """The list as it begins."""
        self._read("/api/voters/?page_size=100", "voters, first page")

    @task(4)
    def one(self) -> None:
        """A voter by the student id."""
        student_id = f"S{next(numbers) * 7919 % VOTERS:08d}"
        self._read(f"/api/voters/{student_id}/", "one voter")

    @task(1)
    def filtered(self) -> None:
        """Those of a department in a year."""
        self._read("/api/voters/?department=Law&year=2", "voters, filtered")

    @task(1)
    def by_name(self) -> None:
        """In the order of their last names, which no index has."""
        self._read("/api/voters/?sort=last_name", "voters, by last name")

    def _read(self, path: str, name: str) -> None:
        self.client.get(path, name=name, headers=HEADERS)


class Office(FastHttpUser):
    """Uploads a megabyte every two seconds."""

    fixed_count = 1
    wait_time = constant_throughput(0.5)

    @task
    def upload(self) -> None:
        """Other bytes each time, so that each is a file of its own."""
        content = SMALL_ROLL + f"U{next(numbers)},,,u@example.edu,,,\r\n".encode()
        self.client.post(
            "/api/upload/",
            name="upload of 1 MB",
            headers=HEADERS,
            files={"file": ("roll.csv", content, "text/csv")},
        )
