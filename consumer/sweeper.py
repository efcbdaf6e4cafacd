"""Removes stored files that no job names, and those of jobs that ended long ago; and what was
counted for a limit whose window has ended, and workers that went long ago.

Jobs whose doorbell was lost or whose worker died are found by the worker's own poll, and mails by
the mailer; what is left to sweep are the files. Any number of workers may sweep at once: deleting
is the same the second time.
"""

import logging
import time
from itertools import islice

from config.settings import Settings
from consumer.lasting_thread import LastingThread
from shared import workers
from shared.access import rate_limits
from shared.database.connection import database
from shared.database.sql import now_seconds
from shared.deletion import purge_expired
from shared.jobs import files
from shared.storage.choice import open_store
from shared.storage.store import UploadStore

logger = logging.getLogger(__name__)

BATCH = 500
# A file is stored before the job that names it, and rejects before the report that names them.
MIN_ORPHAN_SECONDS = 3600.0


class Sweeper(LastingThread):
    """Sweeps every SWEEP_SECONDS."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("sweeper", self._sweep, settings.sweep_seconds)
        self._settings = settings

    def _sweep(self) -> bool:
        """What is not swept now is swept by the next turn, or by the next worker."""
        settings = self._settings
        orphan_seconds = max(MIN_ORPHAN_SECONDS, 2.0 * settings.job_time_limit_seconds)
        try:
            # First what needs no store: it may be away for days.
            rate_limits.purge_ended()
            workers.forget_gone()
            store = open_store(settings.upload_store)
            purge_expired(store, settings.retain_files_days)
            remove_orphans(store, orphan_seconds)
        finally:
            database.close()
        return False


def remove_orphans(store: UploadStore, older_than_seconds: float) -> int:
    """Delete stored files that no job names; returns how many there were."""
    count = 0
    keys = store.keys(older_than_seconds=older_than_seconds + _seconds_ahead())
    while batch := set(islice(keys, BATCH)):
        orphans = batch - files.keys_of_jobs(batch)
        for key in orphans:
            store.delete(key)
        count += len(orphans)
    if count:
        logger.info("orphaned files removed", extra={"files": count})
    return count


def _seconds_ahead() -> float:
    """How far the clock of this machine is ahead of the database's, by which a file seems older
    than it is: a new upload must not be taken for one that no job names."""
    return max(time.time() - now_seconds(), 0.0)
