"""Removes stored files that no job names, and those of jobs that ended long ago; and what was
counted for a limit whose window has ended, and workers that went long ago.

Jobs whose doorbell was lost or whose worker died are found by the worker's own poll, and mails by
the mailer; what is left to sweep are the files. Any number of workers may sweep at once: deleting
is the same the second time.
"""

import logging
import threading
import time
from itertools import islice

from peewee import PeeweeException

from config.settings import Settings
from shared import limits, workers
from shared.database import database, now_seconds
from shared.jobs import files
from shared.retention import purge_expired
from shared.storage.choice import open_store
from shared.storage.store import StoreUnavailable, UploadStore

logger = logging.getLogger(__name__)

BATCH = 500
# A file is stored before the job that names it, and rejects before the report that names them.
MIN_ORPHAN_SECONDS = 3600.0


class Sweeper(threading.Thread):
    """A thread with a database connection of its own."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._settings = settings
        self._stopping = threading.Event()

    def run(self) -> None:
        """Sweep every SWEEP_SECONDS until told to stop."""
        store = open_store(self._settings.upload_store)
        orphan_seconds = max(MIN_ORPHAN_SECONDS, 2.0 * self._settings.job_time_limit_seconds)
        while not self._stopping.is_set():
            try:
                # First what needs no store: it may be away for days.
                limits.purge_ended()
                workers.forget_gone()
                purge_expired(store, self._settings.retain_files_days)
                remove_orphans(store, orphan_seconds)
            except StoreUnavailable as error:
                logger.warning("files not swept", extra={"reason": str(error)})
            except PeeweeException as error:
                logger.warning("not swept", extra={"reason": type(error).__name__})
            finally:
                database.close()
            self._stopping.wait(self._settings.sweep_seconds)

    def stop(self) -> None:
        """End soon; what is not swept now is swept by the next worker."""
        self._stopping.set()
        self.join(timeout=0.5)


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
