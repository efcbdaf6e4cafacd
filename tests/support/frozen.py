"""Job processes that are paused in the middle of their file, on a machine of any speed."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shared.importing.reading import PROGRESS_SECONDS
from tests.support.running import FINAL, Service, wait_for

# Too short for any machine to read the rest of a large file.
SLICE_SECONDS = 0.02


@contextmanager
def frozen_worker(service: Service) -> Iterator[None]:
    """Pause the worker while the block runs. A job uploaded here cannot start before the end."""
    service.signal("worker", signal.SIGSTOP)
    try:
        yield
    finally:
        service.signal("worker", signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class FrozenJob:
    """A job paused in the middle of its file: job id, process id and status."""

    task_id: str
    process: int
    status: Any

    def go_on(self) -> None:
        """Resume the process, if it still exists."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGCONT)

    def wait_until_terminated(self) -> None:
        """Wait until SIGTERM is pending for the process. It ends as soon as it is resumed."""
        wait_for(lambda: _is_due(self.process, signal.SIGTERM), "nobody terminates the job")


@contextmanager
def frozen_job(service: Service, task_id: str) -> Iterator[FrozenJob]:
    """Pause the process of a job in the middle of its file until the block ends.

    The worker must be paused since before the upload. Otherwise the job may already be finished.
    """
    process = pause_at_start(service)
    job = FrozenJob(task_id, process, _run_until_progress(service, task_id, process))
    try:
        yield job
    finally:
        job.go_on()


@contextmanager
def started_job(service: Service, content: bytes) -> Iterator[FrozenJob]:
    """Upload a file, and pause its job with a part of it read until the block ends."""
    with frozen_worker(service):
        answer = service.upload(content)
        assert answer.status == 202, answer
    with frozen_job(service, str(answer.body["task_id"])) as job:
        yield job


def pause_at_start(service: Service) -> int:
    """Wait for the job process and pause it while it still imports its modules."""
    (process,) = wait_for(service.children, "no job process runs", every=0.01)
    os.kill(process, signal.SIGSTOP)
    return process


def _run_until_progress(service: Service, task_id: str, process: int) -> Any:
    """Let the process run in short slices until its status shows progress. Returns the status."""
    pauses = iter([PROGRESS_SECONDS / 2] * 3)

    def has_read_part() -> Any:
        status = service.status(task_id)
        assert status["state"] not in FINAL, status
        if status["progress"]["percent"]:
            return status
        if status["file"]["encoding"]:
            # It has begun to read, and records its progress only once in PROGRESS_SECONDS.
            time.sleep(next(pauses, 0.0))
        os.kill(process, signal.SIGCONT)
        time.sleep(SLICE_SECONDS)
        os.kill(process, signal.SIGSTOP)
        return None

    return wait_for(has_read_part, "no progress was noted", every=0.0)


def _is_due(process: int, number: signal.Signals) -> bool:
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return True
    masks = (line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd:"))
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
