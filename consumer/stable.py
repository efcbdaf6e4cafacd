"""The work horses of one worker: started, kept alive by their leases, stopped, put back."""

import logging
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from uuid import UUID

from peewee import InterfaceError, OperationalError

from config.settings import PROJECT_ROOT, Settings
from consumer.process_limits import MEMORY_STATUSES, OUT_OF_REACH, TIME_STATUSES
from shared.jobs import attempts
from shared.jobs import store as jobs
from shared.jobs.attempts import Claim
from shared.jobs.states import JobCode, JobState
from shared.roll.sniffing import Format
from shared.roll.workbook_faults import too_large

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4
GRACE_SECONDS = 1.0
# A machine that has no room for another process may have some soon.
NO_PROCESS_SECONDS = 5.0
DEATHS = {OUT_OF_REACH: JobCode.SERVICE_UNAVAILABLE}


@dataclass(slots=True)
class Horse:
    """One child process and the claim it works on. Times are of the monotonic clock."""

    claim: Claim
    process: subprocess.Popen[bytes]
    started_at: float = field(default_factory=time.monotonic)
    renewed_at: float = field(default_factory=time.monotonic)
    is_out_of_time: bool = False


class Stable:
    """Room for CONSUMER_CONCURRENCY horses."""

    def __init__(self, settings: Settings, worker: str) -> None:
        self._settings = settings
        self._worker = worker
        self._horses: list[Horse] = []

    @property
    def room(self) -> int:
        """How many more horses may start."""
        return self._settings.consumer_concurrency - len(self._horses)

    @property
    def has_room(self) -> bool:
        """Whether another job may be claimed."""
        return self.room > 0

    def start(self, job_id: UUID) -> None:
        """Claim the job and start a horse for it; nothing happens when it is not to be had."""
        if not self.has_room:
            return
        claim = attempts.claim(
            job_id,
            worker=self._worker,
            lease_seconds=self._settings.lease_seconds,
            max_attempts=self._settings.max_attempts,
        )
        if claim is None:
            return
        try:
            process = _horse_process(claim)
        except OSError as error:
            # No fault of the file: no attempt counts against it.
            logger.warning(
                "work horse not started",
                extra={"job_id": str(job_id), "reason": error.strerror},
            )
            self._release(claim, death=None, delay_seconds=NO_PROCESS_SECONDS)
            return
        self._horses.append(Horse(claim, process))
        logger.info(
            "attempt started",
            extra={"job_id": str(job_id), "attempt": claim.attempt, "pid": process.pid},
        )

    def tend(self) -> None:
        """Note the horses that ended, stop those out of time, renew the leases of the others."""
        for horse in list(self._horses):
            if self._is_over(horse):
                # Removed last: what the database does not take now is noted next time.
                self._note_end(horse)
                self._horses.remove(horse)
            else:
                self._renew(horse)

    def _is_over(self, horse: Horse) -> bool:
        """Whether the horse has ended, by itself or because its time is up."""
        if horse.process.poll() is not None:
            return True
        if time.monotonic() - horse.started_at <= self._settings.job_time_limit_seconds:
            return False
        horse.is_out_of_time = True
        horse.process.kill()
        horse.process.wait()
        return True

    def _note_end(self, horse: Horse) -> None:
        """A horse that did its work has left the job finished or given back; else it died."""
        _close(horse)
        code = horse.process.returncode
        if code in MEMORY_STATUSES:
            self._fail_for_memory(horse)
        elif horse.is_out_of_time or code in TIME_STATUSES:
            self._fail_for_time(horse)
        # The platform may signal the whole container: that is a shutdown, not a crash. What has
        # failed just now is no longer this attempt's to release.
        death = None if code == -signal.SIGTERM else DEATHS.get(code, JobCode.WORKER_CRASHED)
        state = self._release(horse.claim, death=death)
        if state is not None:
            logger.warning(
                "work horse died",
                extra={"job_id": str(horse.claim.job_id), "exit_code": code, "state": state},
            )

    def _fail_for_time(self, horse: Horse) -> None:
        logger.warning("out of time", extra={"job_id": str(horse.claim.job_id)})
        limit = self._settings.job_time_limit_seconds
        attempts.fail(
            horse.claim,
            JobCode.TIME_LIMIT,
            f"The import was stopped after {limit:,} seconds. The roll is unchanged. Please split"
            " the file, or ask the operator to raise JOB_TIME_LIMIT_SECONDS.",
        )

    def _fail_for_memory(self, horse: Horse) -> None:
        """The same file would need as much on the next attempt."""
        logger.warning("out of memory", extra={"job_id": str(horse.claim.job_id)})
        job = jobs.find(horse.claim.job_id)
        if job is not None and job.format != Format.CSV:
            fault = too_large("The workbook takes more memory to read than there is for one file.")
            attempts.fail(horse.claim, fault.code, fault.message)
            return
        limit = self._settings.job_memory_limit_mb
        attempts.fail(
            horse.claim,
            JobCode.MEMORY_LIMIT,
            f"The import was stopped because it needed more than {limit:,} MiB of memory. The roll"
            " is unchanged. Please ask the operator to raise JOB_MEMORY_LIMIT_MB.",
        )

    def _renew(self, horse: Horse) -> None:
        lease_seconds = self._settings.lease_seconds
        if time.monotonic() - horse.renewed_at < lease_seconds / RENEWALS_PER_LEASE:
            return
        if not attempts.renew(horse.claim, lease_seconds):
            # Finished this instant, or taken over: in neither case is there anything left to do.
            logger.info("lease not renewed", extra={"job_id": str(horse.claim.job_id)})
            _end(horse)
        horse.renewed_at = time.monotonic()

    def put_back(self) -> None:
        """Stop every horse and make its job due at once; a shutdown is no death."""
        for horse in self._horses:
            horse.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for horse in self._horses:
            try:
                horse.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                horse.process.kill()
                horse.process.wait()
            _close(horse)
        for horse in self._horses:
            try:
                self._release(horse.claim, death=None)
            except (OperationalError, InterfaceError):
                logger.warning(
                    "job not put back; its lease will run out",
                    extra={"job_id": str(horse.claim.job_id)},
                )
        self._horses.clear()

    def _release(
        self, claim: Claim, *, death: JobCode | None, delay_seconds: float = 0.0
    ) -> JobState | None:
        return attempts.release(
            claim,
            death=death,
            max_attempts=self._settings.max_attempts,
            delay_seconds=delay_seconds,
        )

    def kill(self) -> None:
        """End every horse at once, for a worker that ends without knowing what becomes of them."""
        for horse in self._horses:
            horse.process.kill()


def _horse_process(claim: Claim) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "consumer.horse", str(claim.job_id), str(claim.attempt)],
        cwd=PROJECT_ROOT,
        stdin=subprocess.PIPE,
        # Ctrl-C in a terminal goes to its whole process group; the worker decides instead.
        start_new_session=True,
    )


def _end(horse: Horse) -> None:
    """Let a horse that has finished go by itself, and stop one that works for nothing."""
    try:
        horse.process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        horse.process.kill()


def _close(horse: Horse) -> None:
    if horse.process.stdin:
        horse.process.stdin.close()
