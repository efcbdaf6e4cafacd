"""How long uploads and rejected rows are kept after their job's end."""

import logging

from shared.jobs import files
from shared.storage.store import UploadStore

logger = logging.getLogger(__name__)

BATCH = 500


def purge_expired(store: UploadStore, retain_days: float) -> int:
    """Delete upload and rejects of jobs that ended so long ago; returns how many jobs' files.

    Counts, hashes and codes of the jobs stay. Any number of processes may do it at once.
    """
    count = 0
    while jobs := files.expired_jobs(retain_days, BATCH):
        for job in jobs:
            for key in files.forget_files(job):
                store.delete(key)
        count += len(jobs)
    if count:
        logger.info("files of old jobs purged", extra={"jobs": count})
    return count
