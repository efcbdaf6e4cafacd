"""Run a job in the foreground, for `flask import`.

The command watches a job process and renews the lease. A signal ends both.
"""

import logging
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from peewee import PeeweeException

from config.settings import Settings
from shared.database.connection import database
from shared.importing.job_process import note_end, start_job_process
from shared.importing.limits import MEMORY_STATUSES
from shared.importing.reading import OnProgress
from shared.jobs import claims, jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.states import JobCode, Phase

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4
LOOK_SECONDS = 0.25


def attempt(claim: Claim, settings: Settings, on_progress: OnProgress) -> None:
    """Perform the attempt in a job process, under the same limits as in a worker.

    If the file makes the job process crash, this process survives and notes it. The job process is
    killed at the time limit, and when this process is interrupted.
    """
    with tempfile.TemporaryFile() as log:
        process = start_job_process(claim, settings, max_attempts=1, log=log)
        start = time.monotonic()
        is_out_of_time = False
        try:
            while not is_out_of_time and not _has_ended(process):
                _show(claim, on_progress)
                is_out_of_time = time.monotonic() - start > settings.job_time_limit_seconds
        finally:
            process.kill()
            status = process.wait()
            process.close()
        _show(claim, on_progress)
        note_end(claim, status, settings, is_out_of_time=is_out_of_time, max_attempts=1)
        # The job's message says that memory ran out, so the raw output of Rust is not shown.
        if status not in MEMORY_STATUSES and sys.__stderr__ is not None:
            log.seek(0)
            shutil.copyfileobj(log, sys.__stderr__.buffer)
            sys.__stderr__.flush()


def _has_ended(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(LOOK_SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return True


def _show(claim: Claim, on_progress: OnProgress) -> None:
    job = jobs.find(claim.job_id)
    if job is not None:
        on_progress(Phase(job.phase), job.rows_read, job.percent)


@contextmanager
def failing_when_interrupted(claim: Claim) -> Iterator[None]:
    """Set the job to FAILURE if Ctrl-C, SIGTERM or a closed terminal ends the command."""
    before = {
        number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    except KeyboardInterrupt:
        transitions.fail(claim, JobCode.INTERRUPTED, transitions.INTERRUPTED)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def renew_lease(claim: Claim, lease_seconds: float) -> Iterator[None]:
    """Renew the lease in a separate thread.

    If the command is killed, the lease expires. The next worker that looks ends the job as
    INTERRUPTED.
    """
    is_done = threading.Event()

    def renew() -> None:
        while not is_done.wait(lease_seconds / RENEWALS_PER_LEASE):
            try:
                claims.renew(claim, lease_seconds)
            except PeeweeException as error:
                logger.warning("lease not renewed", extra={"reason": type(error).__name__})
            finally:
                database.close()

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_done.set()
        thread.join(timeout=1.0)
