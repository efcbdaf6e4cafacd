"""Deletes what is no longer needed: files of old jobs, and after the election the whole roll."""

import logging
from dataclasses import asdict, dataclass

from shared.audit import Action, record
from shared.database.connection import database, is_postgresql
from shared.database.outages import OUTAGES, reason_of
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


class ImportsOpen(Exception):
    """An import runs or waits, and would bring voters back."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How much there was: voters, entries of their history, faults of rows, jobs with files."""

    voters: int
    history: int
    faults: int
    files: int


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


def erase_roll(store: UploadStore) -> Erased:
    """Erase the voters, their history, what was kept of their rows, and all files of jobs.

    Of the jobs stay the counts, codes and hashes, the names of files and columns, and who sent
    them. Raises `ImportsOpen`, with nothing erased. What the database held is gone in one
    transaction; the files follow, and raise what the store raises: no job names them then, and a
    worker removes them in the next hours.
    """
    _refuse_while_imports_are_open()
    with database.atomic():
        lock_roll()
        # One that held the lock has ended by now, and another may have begun meanwhile.
        _refuse_while_imports_are_open()
        keys = _forget_files()
        _forget_quoted_cells()
        voters, history, faults = (int(model.delete().execute()) for model in EMPTIED)
        note_roll_changed()
        recount()
        erased = Erased(voters, history, faults, len(keys))
        record(Action.ERASE_ROLL, detail=f"{voters:,} voters")
    logger.warning("roll erased", extra=asdict(erased))
    for key in (key for of_job in keys for key in of_job):
        store.delete(key)
    return erased


def _refuse_while_imports_are_open() -> None:
    if Job.select().where(Job.state.not_in(list(FINAL_STATES))).exists():
        raise ImportsOpen


def _forget_files() -> list[list[str]]:
    """The keys to delete, job by job, of all that had files; a job that came this instant keeps
    its own."""
    keys = []
    while jobs := files.expired_jobs(0.0, BATCH):
        keys += [files.forget_files(job) for job in jobs]
    return keys


def _forget_quoted_cells() -> None:
    """The message of a file's fault may name headings; earlier releases quoted first rows."""
    for code, description in files.FILE_FAULTS.items():
        Job.update(error_message=description).where(Job.error_code == code).execute()


def overwrite_deleted() -> bool:
    """Have the database give back the room of deleted rows, where their bytes still lie; False
    when it is too busy for that. Not inside a transaction."""
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
