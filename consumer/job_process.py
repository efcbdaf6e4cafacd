"""The job process: `python -m consumer.job_process JOB_ID ATTEMPT REQUEST_ID` makes one attempt.

RQ calls such a process a `work horse`. It can crash, leak memory or be killed without harm to the
worker. Its standard input is a pipe that the worker holds open. When the pipe closes, the job
process ends.
"""

import logging
import os
import sys
import threading
from uuid import UUID

from config.log_context import begin
from config.process import begin_process
from config.settings import load_settings
from shared.database.connection import database, open_database
from shared.database.outages import OUTAGES, is_disk_full, reason_of
from shared.importing.attempt import perform
from shared.importing.limits import DISK_FULL, OUT_OF_MEMORY, OUT_OF_REACH, limit_process
from shared.jobs.claims import Claim
from shared.roll_file.limits import Limits
from shared.storage.choice import open_store

logger = logging.getLogger(__name__)

ORPHANED = 3
# The worker stops a job process after its time limit. This limit is for one without a worker.
CPU_MARGIN_SECONDS = 5
# A server or proxy may acknowledge what we send and never answer. With this timeout, there is time
# left for another attempt on another connection.
ANSWER_SHARE = 0.25


def main(job_id: str, attempt: str, request_id: str = "") -> int:
    """Make the attempt that the worker has claimed, and write its outcome into the job.

    Returns the exit status. 0 means that the outcome is written. The worker turns OUT_OF_MEMORY
    into the job's failure. OUT_OF_REACH and DISK_FULL mean that the outcome could not be written
    to the database.
    """
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    settings = load_settings()
    limit_process(
        memory_limit_mb=settings.job_memory_limit_mb,
        cpu_seconds=settings.job_time_limit_seconds + CPU_MARGIN_SECONDS,
    )
    begin_process(settings)
    claim = Claim(UUID(job_id), int(attempt), request_id or None)
    begin(**claim.log_fields)
    open_database(
        settings.database_url, answer_seconds=ANSWER_SHARE * settings.job_time_limit_seconds
    )
    try:
        perform(
            claim,
            store=open_store(settings.upload_store),
            limits=Limits(settings.max_rows, fast_sheet_bytes=settings.fast_sheet_bytes),
            max_attempts=settings.max_attempts,
        )
    except MemoryError:
        return OUT_OF_MEMORY
    except OUTAGES as error:
        logger.warning(
            "outcome not written, the worker releases the job",
            extra={"reason": reason_of(error)},
        )
        return DISK_FULL if is_disk_full(error) else OUT_OF_REACH
    database.close()
    logging.shutdown()
    return 0


def _end_with_the_worker() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
