"""What keeps a job in the hands of `flask import`: a lease renewed, and signals that end it."""

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from peewee import PeeweeException

from shared.database import database
from shared.jobs import attempts
from shared.jobs.attempts import Claim
from shared.jobs.states import JobCode

logger = logging.getLogger(__name__)

RENEWALS_PER_LEASE = 4


@contextmanager
def failing_when_interrupted(claim: Claim) -> Iterator[None]:
    """End the job as FAILURE when Ctrl-C, SIGTERM or a closed terminal ends the command."""
    before = {
        number: signal.signal(number, _interrupt) for number in (signal.SIGTERM, signal.SIGHUP)
    }
    try:
        yield
    except KeyboardInterrupt:
        attempts.fail(claim, JobCode.INTERRUPTED, attempts.INTERRUPTED)
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextmanager
def lease_renewed(claim: Claim, lease_seconds: float) -> Iterator[None]:
    """Renew the lease from a thread of its own: a command that was killed lets it run out, and the
    next worker that looks ends the job as INTERRUPTED."""
    is_done = threading.Event()

    def renew() -> None:
        while not is_done.wait(lease_seconds / RENEWALS_PER_LEASE):
            try:
                attempts.renew(claim, lease_seconds)
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
