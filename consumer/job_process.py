"""The job process: it makes one attempt at one job.

RQ calls such a process a `work horse`. It can crash, leak memory or be killed without harm to the
worker. The template process forks it (`consumer.template_process`). Where that is impossible, and
for `flask import`, it is a new Python: `python -m consumer.job_process JOB_ID ATTEMPT REQUEST_ID`.

Its standard input is a pipe that the worker holds open. When the pipe closes, the job process
ends.
"""

import logging
import os
import sys
import threading
from uuid import UUID

from config.log_context import begin
from config.process import begin_process, name_process
from config.settings import Settings, load_settings
from consumer.template_messages import read_job_line
from shared.database.connection import database, is_postgresql, open_database
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
READ_BYTES = 4096


def main(job_id: str, attempt: str, request_id: str = "") -> int:
    """Make the attempt that the worker has claimed, and return the exit status."""
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    settings = load_settings()
    begin_process(settings)
    _begin(settings)
    status = _make_attempt(Claim(UUID(job_id), int(attempt), request_id or None), settings)
    logging.shutdown()
    return status


def perform_next(settings: Settings) -> int:
    """Wait for a job in a forked process, make the attempt, and return the exit status.

    The worker writes the job as one line. The end of the pipe before that is no error, because the
    worker may not need this process any more.
    """
    _begin(settings)
    _connect()
    line = b""
    while not line.endswith(b"\n"):
        received = os.read(sys.stdin.fileno(), READ_BYTES)
        if not received:
            return 0
        line += received
    threading.Thread(target=_end_with_the_worker, daemon=True).start()
    _drop_broken_connection()
    return _make_attempt(read_job_line(line), settings)


def _begin(settings: Settings) -> None:
    limit_process(
        memory_limit_mb=settings.job_memory_limit_mb,
        cpu_seconds=settings.job_time_limit_seconds + CPU_MARGIN_SECONDS,
    )
    open_database(
        settings.database_url, answer_seconds=ANSWER_SHARE * settings.job_time_limit_seconds
    )


def _connect() -> None:
    """Connect to PostgreSQL before there is a job.

    Not to SQLite: a restored backup may replace its file, and opening it takes no time.
    """
    if not is_postgresql():
        return
    try:
        database.connect()
    except OUTAGES as error:
        logger.info("not connected ahead", extra={"reason": reason_of(error)})


def _drop_broken_connection() -> None:
    """Close a connection that broke while this process waited. The next query makes another."""
    if database.is_closed():
        return
    try:
        database.execute_sql("SELECT 1")
    except OUTAGES:
        database.close()


def _make_attempt(claim: Claim, settings: Settings) -> int:
    """Make the attempt and write its outcome into the job.

    Returns the exit status. 0 means that the outcome is written. The worker turns OUT_OF_MEMORY
    into the job's failure. OUT_OF_REACH and DISK_FULL mean that the outcome could not be written
    to the database.
    """
    name_process("job process")
    begin(**claim.log_fields)
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
    return 0


def _end_with_the_worker() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
