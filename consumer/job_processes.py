"""The job processes of one worker: starting, renewing leases, stopping, releasing the jobs."""

import logging
import subprocess
import time
from dataclasses import dataclass, field
from uuid import UUID

from config.log_context import logged_with
from config.settings import Settings
from consumer.process_source import ProcessSource
from consumer.template import Process, Template
from shared.database.outages import OUTAGES
from shared.importing.job_process import note_end
from shared.jobs import claims, transitions
from shared.jobs.claims import Claim
from shared.jobs.states import JobCode, JobState

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4
GRACE_SECONDS = 1.0
# If the machine cannot start another process now, it may be able to soon.
NO_PROCESS_SECONDS = 5.0


@dataclass(slots=True)
class JobProcess:
    """One job process and the claim it works on. Times are those of `time.monotonic`."""

    claim: Claim
    process: Process
    started_at: float = field(default_factory=time.monotonic)
    renewed_at: float = field(default_factory=time.monotonic)
    is_out_of_time: bool = False


class JobProcesses:
    """The job processes of a worker, at most CONSUMER_CONCURRENCY."""

    def __init__(self, settings: Settings, worker: str) -> None:
        self._settings = settings
        self._worker = worker
        self._source = ProcessSource(settings)
        self._running: list[JobProcess] = []

    @property
    def room(self) -> int:
        """How many more job processes may start."""
        return self._settings.consumer_concurrency - len(self._running)

    @property
    def has_room(self) -> bool:
        """Whether another job may be claimed."""
        return self.room > 0

    @property
    def templates(self) -> list[Template]:
        """What becomes readable when a job process ends, for `select`."""
        return self._source.templates

    def start(self, job_id: UUID) -> None:
        """Claim the job and start a job process for it.

        Does nothing if there is no room, or if the job cannot be claimed.
        """
        if not self.has_room:
            return
        claim = transitions.claim(
            job_id,
            worker=self._worker,
            lease_seconds=self._settings.lease_seconds,
            max_attempts=self._settings.max_attempts,
        )
        if claim is None:
            return
        try:
            process = self._source.start(claim)
        except OSError as error:
            # The file is not the cause, so this attempt does not count against the job.
            logger.warning(
                "job process not started",
                extra={**claim.log_fields, "reason": error.strerror},
            )
            self._release(claim, death=None, delay_seconds=NO_PROCESS_SECONDS)
            return
        self._running.append(JobProcess(claim, process))
        logger.info("attempt started", extra={**claim.log_fields, "pid": process.pid})

    def tend(self) -> None:
        """Record the job processes that ended, stop those out of time, renew the other leases."""
        self._source.tend()
        for job_process in list(self._running):
            if self._is_over(job_process):
                # Removed last: if the database is unavailable, the next call records the end.
                self._note_end(job_process)
                self._running.remove(job_process)
            else:
                self._renew(job_process)

    def _is_over(self, job_process: JobProcess) -> bool:
        """Whether the job process has ended. Kills it first if its time is up."""
        if job_process.process.poll() is not None:
            return True
        if time.monotonic() - job_process.started_at <= self._settings.job_time_limit_seconds:
            return False
        job_process.is_out_of_time = True
        job_process.process.kill()
        job_process.process.wait()
        return True

    def _note_end(self, job_process: JobProcess) -> None:
        code = job_process.process.wait()
        job_process.process.close()
        with logged_with(**job_process.claim.log_fields):
            state = note_end(
                job_process.claim,
                code,
                self._settings,
                is_out_of_time=job_process.is_out_of_time,
                max_attempts=self._settings.max_attempts,
            )
            if state is not None:
                logger.warning("job process died", extra={"exit_code": code, "state": state})

    def _renew(self, job_process: JobProcess) -> None:
        lease_seconds = self._settings.lease_seconds
        if time.monotonic() - job_process.renewed_at < lease_seconds / RENEWALS_PER_LEASE:
            return
        if not claims.renew(job_process.claim, lease_seconds):
            # The job has just finished, or another worker has it: nothing is left to do for it.
            logger.info("lease not renewed", extra=job_process.claim.log_fields)
            _end(job_process)
        job_process.renewed_at = time.monotonic()

    def put_back(self) -> None:
        """Stop every job process and make its job due immediately.

        A shutdown does not count as a death of the attempt.
        """
        for job_process in self._running:
            job_process.process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        for job_process in self._running:
            try:
                job_process.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                job_process.process.kill()
                job_process.process.wait()
            job_process.process.close()
        for job_process in self._running:
            try:
                self._release(job_process.claim, death=None)
            except OUTAGES:
                logger.warning(
                    "job not released, its lease will run out",
                    extra=job_process.claim.log_fields,
                )
        self._running.clear()
        self._source.stop()

    def _release(
        self, claim: Claim, *, death: JobCode | None, delay_seconds: float = 0.0
    ) -> JobState | None:
        return transitions.release(
            claim,
            death=death,
            max_attempts=self._settings.max_attempts,
            delay_seconds=delay_seconds,
        )

    def kill(self) -> None:
        """Kill every job process, for a worker that cannot wait for them to end."""
        for job_process in self._running:
            job_process.process.kill()


def _end(job_process: JobProcess) -> None:
    """Wait for a job process that has finished, and kill one that no longer owns its job."""
    try:
        job_process.process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        job_process.process.kill()
