"""Job processes that stand still in the middle of their file, however fast the machine reads it."""

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

# In so little time no machine reads the rest of a large file.
SLICE_SECONDS = 0.02


@contextmanager
def frozen_worker(service: Service) -> Iterator[None]:
    """Keep the worker from every job while the block runs: a job that is uploaded here is certain
    not to start before the block ends."""
    service.signal("worker", signal.SIGSTOP)
    try:
        yield
    finally:
        service.signal("worker", signal.SIGCONT)


@dataclass(frozen=True, slots=True)
class FrozenJob:
    """A job in the middle of its file, the process that reads it, and its status."""

    task_id: str
    process: int
    status: Any

    def go_on(self) -> None:
        """Let the process run again, if it is still there."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGCONT)

    def wait_until_terminated(self) -> None:
        """Wait until the process has been sent SIGTERM, which it obeys as soon as it goes on."""
        wait_for(lambda: _is_due(self.process, signal.SIGTERM), "nobody terminates the job")


@contextmanager
def frozen_job(service: Service, task_id: str) -> Iterator[FrozenJob]:
    """A job whose process stands still until the block ends. The worker must have been frozen
    since before the upload, or else the job may be over."""
    process = _born(service)
    job = FrozenJob(task_id, process, _run_until_progress(service, task_id, process))
    try:
        yield job
    finally:
        job.go_on()


@contextmanager
def started_job(service: Service, content: bytes) -> Iterator[FrozenJob]:
    """Upload a file, whose job stands still with a part of it read until the block ends."""
    with frozen_worker(service):
        answer = service.upload(content)
        assert answer.status == 202, answer
    with frozen_job(service, str(answer.body["task_id"])) as job:
        yield job


def _born(service: Service) -> int:
    """Freeze the job process while it still imports its modules."""
    (process,) = wait_for(service.children, "no job process runs", every=0.01)
    os.kill(process, signal.SIGSTOP)
    return process


def _run_until_progress(service: Service, task_id: str, process: int) -> Any:
    """Let the process run in slices, so that it is still there when its progress is seen."""
    pauses = iter([PROGRESS_SECONDS / 2] * 3)

    def part_read() -> Any:
        status = service.status(task_id)
        assert status["state"] not in FINAL, status
        if status["progress"]["percent"]:
            return status
        if status["file"]["encoding"]:
            # It notes its progress by the clock, and has begun to read.
            time.sleep(next(pauses, 0.0))
        os.kill(process, signal.SIGCONT)
        time.sleep(SLICE_SECONDS)
        os.kill(process, signal.SIGSTOP)
        return None

    return wait_for(part_read, "no progress was noted", every=0.0)


def _is_due(process: int, number: signal.Signals) -> bool:
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return True
    masks = (line.split()[1] for line in status.splitlines() if line.startswith("ShdPnd:"))
    return any(int(mask, 16) >> (number - 1) & 1 for mask in masks)
