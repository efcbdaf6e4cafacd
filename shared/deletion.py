"""Delete what is no longer needed: files of old jobs, and the whole roll after the election."""

import logging
from dataclasses import asdict, dataclass

from shared.audit import Action, record
from shared.database.connection import database, is_postgresql
from shared.database.outages import OUTAGES, reason_of
from shared.errors import VoterSystemError
from shared.jobs import files
from shared.jobs.models import Job, JobFault
from shared.jobs.states import FINAL_STATES
from shared.storage.database_store import StoredChunk
from shared.storage.store import UploadStore
from shared.voters.counts import recount
from shared.voters.models import Voter, VoterHistory
from shared.voters.roll import lock_roll, note_roll_changed

logger = logging.getLogger(__name__)

EMPTIED = (Voter, VoterHistory, JobFault)
BATCH = 500


class ImportsOpen(VoterSystemError):
    """An import runs or waits, and would write voters again."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased: voters, entries of their history, row faults, jobs with files."""

    voters: int
    history: int
    faults: int
    files: int


def purge_expired(store: UploadStore, retain_days: float) -> int:
    """Delete the files of jobs that ended `retain_days` ago. Return the number of jobs.

    The files are the upload and the rejects file. Counts, hashes and codes of the jobs stay. Any
    number of processes may do this at the same time.
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


def erase_roll(store: UploadStore) -> Erasure:
    """Erase the voters, their history, what was kept of their rows, and all files of jobs.

    The jobs keep their counts, codes and hashes, the names of files and columns, and who sent them.
    Raises `ImportsOpen`, with nothing erased.

    One transaction deletes the content of the database. The files follow, and raise what the store
    raises. No job names them then, and a worker removes them in the next hours.
    """
    _refuse_while_imports_are_open()
    with database.atomic():
        lock_roll()
        # The import that held the lock has ended now, and another may have begun meanwhile.
        _refuse_while_imports_are_open()
        keys = _forget_files()
        _forget_quoted_cells()
        voters, history, faults = (int(model.delete().execute()) for model in EMPTIED)
        note_roll_changed()
        recount()
        erasure = Erasure(voters, history, faults, len(keys))
        record(Action.ERASE_ROLL, detail=f"{voters:,} voters")
    logger.warning("roll erased", extra=asdict(erasure))
    for key in (key for of_job in keys for key in of_job):
        store.delete(key)
    return erasure


def _refuse_while_imports_are_open() -> None:
    if Job.select().where(Job.state.not_in(list(FINAL_STATES))).exists():
        raise ImportsOpen


def _forget_files() -> list[list[str]]:
    """Return the keys to delete, by job, of all jobs with files.

    A job created at this instant keeps its files.
    """
    keys = []
    while jobs := files.expired_jobs(0.0, BATCH):
        keys += [files.forget_files(job) for job in jobs]
    return keys


def _forget_quoted_cells() -> None:
    """Replace messages of file faults. They may name headings, and earlier releases quoted rows."""
    for code, description in files.FILE_FAULTS.items():
        Job.update(error_message=description).where(Job.error_code == code).execute()


def overwrite_deleted() -> bool:
    """Reclaim the space of deleted rows, which still contains their bytes.

    Returns False if the database is unavailable or too busy. Must not run inside a transaction.
    """
    try:
        if is_postgresql():
            names = ", ".join(model._meta.table_name for model in (*EMPTIED, Job, StoredChunk))
            database.execute_sql(f"VACUUM {names}")
        else:
            database.execute_sql("VACUUM")
            database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    except OUTAGES as error:
        logger.warning("deleted rows not overwritten", extra={"reason": reason_of(error)})
        return False
    return True
