"""Start job processes, each of which runs one attempt, and handle their ends.

RQ calls such a child process a work horse. If one ends before its attempt does, `note_end` updates
the job.
"""

import logging
import os
import signal
import subprocess
import sys
from typing import IO

from config.settings import PROJECT_ROOT, Settings
from shared.importing.limits import DISK_FULL, MEMORY_STATUSES, OUT_OF_REACH, TIME_STATUSES
from shared.jobs import jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.states import JobCode, JobState
from shared.roll_file.formats import Format
from shared.roll_file.workbooks.faults import too_large

logger = logging.getLogger(__name__)

MODULE = "consumer.job_process"
DEATHS = {OUT_OF_REACH: JobCode.SERVICE_UNAVAILABLE, DISK_FULL: JobCode.DISK_FULL}


def start_job_process(
    claim: Claim, settings: Settings, *, max_attempts: int, log: IO[bytes] | None = None
) -> "ExecutedProcess":
    """Start a process that runs the attempt under the limits of the settings.

    It ends when this process ends. It writes to `log`, or to the standard error of this process.
    Raises OSError.
    """
    return ExecutedProcess(  # nosec B603 # our own module
        [
            sys.executable,
            "-m",
            MODULE,
            str(claim.job_id),
            str(claim.attempt),
            claim.request_id or "",
        ],
        cwd=PROJECT_ROOT,
        env=job_environment(settings, max_attempts=max_attempts),
        stdin=subprocess.PIPE,
        stderr=log,
        # Ctrl-C in a terminal goes to the whole process group, but this process must decide.
        start_new_session=True,
    )


def job_environment(settings: Settings, *, max_attempts: int) -> dict[str, str]:
    """Return this process's environment, with its settings as a job process reads them."""
    return {
        **os.environ,
        "DEBUG": str(int(settings.debug)),
        "SECRET_KEY": settings.secret_key,
        "DATABASE_URL": settings.database_url,
        "UPLOAD_STORE": settings.upload_store,
        "MAX_ROWS": str(settings.max_rows),
        "FAST_SHEET_BYTES": str(settings.fast_sheet_bytes),
        "JOB_TIME_LIMIT_SECONDS": str(settings.job_time_limit_seconds),
        "JOB_MEMORY_LIMIT_MB": str(settings.job_memory_limit_mb),
        "LOG_LEVEL": settings.log_level,
        "SENTRY_DSN": settings.sentry_dsn,
        "MAX_ATTEMPTS": str(max_attempts),
    }


class ExecutedProcess(subprocess.Popen[bytes]):
    """A job process that is a new Python."""

    def close(self) -> None:
        """Close its standard input."""
        if self.stdin:
            self.stdin.close()


def note_end(
    claim: Claim, status: int, settings: Settings, *, is_out_of_time: bool, max_attempts: int
) -> JobState | None:
    """Note how a job process ended.

    A process that did its work has left the job finished or given back. Otherwise it died, and the
    job fails or is given back. Returns the job's new state in the last case: RETRY, or FAILURE if
    no attempt is left. Returns None otherwise, also after a time or memory limit.
    """
    if status in MEMORY_STATUSES:
        _fail_for_memory(claim, settings)
    elif is_out_of_time or status in TIME_STATUSES:
        _fail_for_time(claim, settings)
    # A job that has failed just now no longer belongs to this attempt, so release does nothing.
    death = DEATHS.get(status, JobCode.WORKER_CRASHED)
    if status == -signal.SIGTERM and max_attempts > 1:
        # The platform may signal the whole container, which is a shutdown and not a crash.
        return transitions.release(claim, death=None, max_attempts=max_attempts)
    return transitions.release(claim, death=death, max_attempts=max_attempts)


def _fail_for_time(claim: Claim, settings: Settings) -> None:
    logger.warning("out of time")
    transitions.fail(
        claim,
        JobCode.TIME_LIMIT,
        f"The import was stopped after {settings.job_time_limit_seconds:,} seconds. The"
        " roll is unchanged. Split the file, or ask the operator to raise"
        " JOB_TIME_LIMIT_SECONDS.",
    )


def _fail_for_memory(claim: Claim, settings: Settings) -> None:
    """Fail the job, because the same file would need as much memory on the next attempt."""
    logger.warning("out of memory")
    job = jobs.find(claim.job_id)
    if job is not None and job.format != Format.CSV:
        fault = too_large("The workbook takes more memory to read than there is for one file.")
        transitions.fail(claim, fault.code, fault.message)
        return
    transitions.fail(
        claim,
        JobCode.MEMORY_LIMIT,
        "The import was stopped because it needed more than"
        f" {settings.job_memory_limit_mb:,} MiB of memory. The roll is unchanged. Ask the"
        " operator to raise JOB_MEMORY_LIMIT_MB.",
    )
