"""The Locust users: programs that read statuses, programs that read the roll, and an uploader.

Each sends requests at a fixed rate. The results therefore show the response time at that load, and
not the largest load of the machine.
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
    """Reads the status of running and waiting jobs, without long poll, ten times a second."""

    fixed_count = 4
    wait_time = constant_throughput(10)

    @task
    def read(self) -> None:
        """Read the jobs in turn."""
        job_id = RUNNING_JOBS[next(numbers) % len(RUNNING_JOBS)]
        self.client.get(f"/api/task-status/{job_id}/", name="status", headers=HEADERS)


class VoterReader(FastHttpUser):
    """Reads the roll, five times in two seconds."""

    fixed_count = 4
    wait_time = constant_throughput(2.5)

    @task(4)
    def first_page(self) -> None:
        """Read the first page of the list."""
        self._read("/api/voters/?page_size=100", "voters, first page")

    @task(4)
    def one(self) -> None:
        """Read one voter by student id."""
        student_id = f"S{next(numbers) * 7919 % VOTERS:08d}"
        self._read(f"/api/voters/{student_id}/", "one voter")

    @task(1)
    def filtered(self) -> None:
        """Read the voters of one department and year."""
        self._read("/api/voters/?department=Law&year=2", "voters, filtered")

    @task(1)
    def by_name(self) -> None:
        """Read the list in order of last name, for which there is no index."""
        self._read("/api/voters/?sort=last_name", "voters, by last name")

    def _read(self, path: str, name: str) -> None:
        self.client.get(path, name=name, headers=HEADERS)


class Office(FastHttpUser):
    """Uploads a megabyte every two seconds."""

    fixed_count = 1
    wait_time = constant_throughput(0.5)

    @task
    def upload(self) -> None:
        """Upload a file with different bytes each time, so each is a new file."""
        content = SMALL_ROLL + f"U{next(numbers)},,,u@example.edu,,,\r\n".encode()
        self.client.post(
            "/api/upload/",
            name="upload of 1 MB",
            headers=HEADERS,
            files={"file": ("roll.csv", content, "text/csv")},
        )
