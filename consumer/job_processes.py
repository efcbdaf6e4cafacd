"""The work horses of one worker: started, kept alive by their leases, stopped, put back."""

import logging
import subprocess
import time
from dataclasses import dataclass, field
from uuid import UUID

from config.log_context import logged_with
from config.settings import Settings
from shared.database.outages import OUTAGES
from shared.importing.job_process import close_horse, note_end, start_horse
from shared.jobs import transitions
from shared.jobs.states import JobCode, JobState
from shared.jobs.transitions import Claim

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4
GRACE_SECONDS = 1.0
# A machine that has no room for another process may have some soon.
NO_PROCESS_SECONDS = 5.0


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
        claim = transitions.claim(
            job_id,
            worker=self._worker,
            lease_seconds=self._settings.lease_seconds,
            max_attempts=self._settings.max_attempts,
        )
        if claim is None:
            return
        try:
            process = start_horse(claim, self._settings, max_attempts=self._settings.max_attempts)
        except OSError as error:
            # No fault of the file: no attempt counts against it.
            logger.warning(
                "work horse not started",
                extra={**claim.log_fields, "reason": error.strerror},
            )
            self._release(claim, death=None, delay_seconds=NO_PROCESS_SECONDS)
            return
        self._horses.append(Horse(claim, process))
        logger.info("attempt started", extra={**claim.log_fields, "pid": process.pid})

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
        close_horse(horse.process)
        code = horse.process.returncode
        with logged_with(**horse.claim.log_fields):
            state = note_end(
                horse.claim,
                code,
                self._settings,
                is_out_of_time=horse.is_out_of_time,
                max_attempts=self._settings.max_attempts,
            )
            if state is not None:
                logger.warning("work horse died", extra={"exit_code": code, "state": state})

    def _renew(self, horse: Horse) -> None:
        lease_seconds = self._settings.lease_seconds
        if time.monotonic() - horse.renewed_at < lease_seconds / RENEWALS_PER_LEASE:
            return
        if not transitions.renew(horse.claim, lease_seconds):
            # Finished this instant, or taken over: in neither case is there anything left to do.
            logger.info("lease not renewed", extra=horse.claim.log_fields)
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
            close_horse(horse.process)
        for horse in self._horses:
            try:
                self._release(horse.claim, death=None)
            except OUTAGES:
                logger.warning(
                    "job not put back; its lease will run out",
                    extra=horse.claim.log_fields,
                )
        self._horses.clear()

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
        """End every horse at once, for a worker that ends without knowing what becomes of them."""
        for horse in self._horses:
            horse.process.kill()


def _end(horse: Horse) -> None:
    """Let a horse that has finished go by itself, and stop one that works for nothing."""
    try:
        horse.process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        horse.process.kill()
