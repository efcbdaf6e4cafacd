"""The sweeper: removes what is no longer needed from the upload store and the database.

It removes stored files that no job names, and the files of jobs that ended long ago. It also
removes the counts of rate limits whose window has ended, and workers that left long ago.

It does not look for lost work. The worker's poll finds jobs whose message was lost or whose worker
died, and the mail thread finds mails that are due. Several workers may sweep at the same time,
because deleting a second time changes nothing.
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
# A file is stored before the job that names it, and a rejects file before its report.
MIN_ORPHAN_SECONDS = 3600.0


class Sweeper(LastingThread):
    """Sweeps every SWEEP_SECONDS."""

    def __init__(self, settings: Settings) -> None:
        super().__init__("sweeper", self._sweep, settings.sweep_seconds)
        self._settings = settings

    def _sweep(self) -> bool:
        """Sweep once. If this fails, the next turn or another worker continues."""
        settings = self._settings
        orphan_seconds = max(MIN_ORPHAN_SECONDS, 2.0 * settings.job_time_limit_seconds)
        try:
            # First the steps without the upload store, which may be unavailable for days.
            rate_limits.purge_ended()
            workers.forget_gone()
            store = open_store(settings.upload_store)
            purge_expired(store, settings.retain_files_days)
            remove_orphans(store, orphan_seconds)
        finally:
            database.close()
        return False


def remove_orphans(store: UploadStore, older_than_seconds: float) -> int:
    """Delete stored files that no job names, and return their number."""
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
    """How many seconds this machine's clock is ahead of the database's clock.

    A file seems older by that time. Without the correction, a new upload could be deleted as an
    orphan.
    """
    return max(time.time() - now_seconds(), 0.0)
