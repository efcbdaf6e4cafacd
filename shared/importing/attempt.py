"""Run one attempt at a job and save its outcome: one place for each kind of failure."""

import logging
import time
import traceback
from pathlib import Path
from uuid import uuid4

from shared.database.connection import database
from shared.database.outages import OUTAGES, is_disk_full
from shared.importing.errors import JobFailure, UnknownOption
from shared.importing.pipeline import run
from shared.importing.reading import OnProgress
from shared.jobs import transitions
from shared.jobs.claims import Claim
from shared.jobs.errors import AttemptLost
from shared.jobs.states import JobCode
from shared.roll_file.errors import FileFault
from shared.roll_file.limits import Limits
from shared.storage.errors import StoreFull, StoreUnavailable
from shared.storage.store import UploadStore

logger = logging.getLogger(__name__)


def perform(
    claim: Claim,
    *,
    store: UploadStore,
    limits: Limits,
    max_attempts: int,
    on_progress: OnProgress = lambda phase, rows_read, percent: None,
) -> None:
    """Run one whole attempt and save its outcome in the job.

    Memory does not grow with the size of the file. There are three kinds of failure:
    - If something is wrong with the file, or the job cannot succeed, the job ends as FAILURE.
    - If the database or the store is unavailable, a disk is full, or this worker does not know an
      option, the job is given back for a retry. This raises if even that cannot be written.
    - Any other error is an internal error. It is logged under an id that the job shows.

    Raises MemoryError, which the process and its worker handle.
    """
    start = time.monotonic()
    outcome = "success"
    cause = {}
    try:
        run(claim, store, limits, on_progress)
    except FileFault as fault:
        outcome = str(fault.code)
        cause = {"cause": _cause(fault)}
        transitions.fail(claim, fault.code, fault.message)
    except JobFailure as failure:
        outcome = str(failure.code)
        transitions.fail(
            claim,
            failure.code,
            failure.message,
            faults=failure.faults,
            rejects_key=failure.rejects_key,
        )
    except UnknownOption:
        # During a release, a newer worker may take it at the next try.
        outcome = "given back: unknown option"
        transitions.release(claim, death=JobCode.WORKER_TOO_OLD, max_attempts=max_attempts)
    except AttemptLost:
        outcome = "cancelled or taken over"
    except MemoryError:
        # There may be too little memory left to write the outcome. The process and its worker
        # handle it.
        raise
    except Exception as error:
        if _may_pass(error):
            outcome = f"given back: {type(error).__name__}"
            # The connection may be the cause, so giving the job back uses a new one.
            database.close()
            transitions.release(claim, death=_death(error), max_attempts=max_attempts)
        else:
            error_id = uuid4().hex[:12]
            outcome = "defect"
            logger.exception("attempt met an internal error", extra={"error_id": error_id})
            transitions.fail(claim, JobCode.INTERNAL_ERROR, _apology(error_id))
    logger.info(
        "attempt ended",
        extra={
            "job_id": str(claim.job_id),
            "attempt": claim.attempt,
            "outcome": outcome,
            "seconds": round(time.monotonic() - start, 3),
            **cause,
        },
    )


def _cause(fault: FileFault) -> str:
    """Return the type and place of the error behind a fault. Its message may quote a cell."""
    error: BaseException = fault
    while error.__cause__:
        error = error.__cause__
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    return f"{type(error).__name__} at {Path(frame.f_code.co_filename).name}:{line}"


def _may_pass(error: Exception) -> bool:
    """Whether the database, the store or the disk is the cause, so another attempt may succeed."""
    return is_disk_full(error) or isinstance(error, (StoreUnavailable, StoreFull, *OUTAGES))


def _death(error: Exception) -> JobCode:
    is_full = is_disk_full(error) or isinstance(error, StoreFull)
    return JobCode.DISK_FULL if is_full else JobCode.SERVICE_UNAVAILABLE


def _apology(error_id: str) -> str:
    return (
        "Something went wrong in the service, not in your file. The roll is unchanged. Try"
        f" again. If it happens again, give the operator this error id: {error_id}."
    )
