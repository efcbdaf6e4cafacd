"""One attempt at a job: read, validate, stage, compare, apply.

The roll changes in one transaction at the end, together with the job's state. An attempt that
ends anywhere before leaves nothing behind, so the next one simply starts again.
"""

import hashlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import BinaryIO
from uuid import uuid4

from peewee import InterfaceError, OperationalError

from shared.database import database
from shared.jobs import store as jobs
from shared.jobs.models import Job
from shared.jobs.states import JobCode, Phase
from shared.jobs.store import MAX_KEPT_FAULTS, AttemptLost, Claim
from shared.roll.errors import FileCode, FileFault, RowError, WarningCode
from shared.roll.limits import Limits
from shared.roll.reader import open_roll
from shared.roll.report import Report
from shared.roll.rows import RollReader
from shared.roll.validation import Rejected, Staged, compile_validator
from shared.storage.store import FileLost, StoreUnavailable, UploadStore
from shared.voters import merge, staging
from shared.voters.conflicts import conflict_errors

logger = logging.getLogger(__name__)

BATCH_ROWS = 20_000
PROGRESS_SECONDS = 0.5
HASH_BYTES = 1024 * 1024

OnProgress = Callable[[Phase, int, float | None], None]


class JobFailure(Exception):
    """The job cannot succeed, and its file's content is not to blame."""

    def __init__(self, code: JobCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Tally:
    """What the reading loop counts; the rest is counted by the database."""

    blank_rows: int = 0
    rejected: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    kept: list[RowError] = field(default_factory=list)

    def reject(self, row: Rejected) -> None:
        """Count one bad row, once under each of its codes."""
        self.rejected += 1
        self.errors.update({error.code for error in row.errors})
        self.missing.update(row.missing)
        self.keep(row.errors)

    def keep(self, errors: tuple[RowError, ...]) -> None:
        """Remember the first faults of the file."""
        self.kept.extend(errors[: MAX_KEPT_FAULTS - len(self.kept)])


def perform(
    claim: Claim,
    *,
    store: UploadStore,
    max_rows: int,
    max_attempts: int,
    on_progress: OnProgress = lambda phase, rows_read, percent: None,
) -> None:
    """Do the whole of one attempt and leave its outcome in the job.

    Memory stays flat in the size of the file. Whatever goes wrong with the file ends the job as
    FAILURE; a database or store out of reach gives it back for a retry (raising when even that
    cannot be written); anything else is a defect, logged under an id that the job shows.
    """
    started = time.monotonic()
    outcome = "success"
    try:
        _import(claim, store, max_rows, on_progress)
    except (FileFault, JobFailure) as fault:
        outcome = str(fault.code)
        jobs.fail(claim, fault.code, fault.message)
    except AttemptLost:
        outcome = "lost to another attempt"
    except (StoreUnavailable, OperationalError, InterfaceError) as error:
        outcome = f"given back: {type(error).__name__}"
        # The connection may be the fault; giving the job back takes a fresh one.
        database.close()
        jobs.release(claim, death=JobCode.SERVICE_UNAVAILABLE, max_attempts=max_attempts)
    except Exception:
        error_id = uuid4().hex[:12]
        outcome = "defect"
        logger.exception("attempt met a defect", extra={"error_id": error_id})
        jobs.fail(claim, JobCode.INTERNAL_ERROR, _apology(error_id))
    logger.info(
        "attempt ended",
        extra={
            "job_id": str(claim.job_id),
            "attempt": claim.attempt,
            "outcome": outcome,
            "seconds": round(time.monotonic() - started, 3),
        },
    )


def _apology(error_id: str) -> str:
    return (
        "Something went wrong in the service, not in your file. The roll is unchanged. Please try"
        f" again, and give the operator this error id if it happens again: {error_id}."
    )


def _import(claim: Claim, store: UploadStore, max_rows: int, on_progress: OnProgress) -> None:
    job = jobs.find(claim.job_id)
    if job is None:
        raise AttemptLost(f"job {claim.job_id} is gone")
    with _opened(store, job) as file, open_roll(file, limits=Limits(max_rows=max_rows)) as reader:
        jobs.note_progress(
            claim,
            format=reader.format,
            encoding=reader.encoding,
            delimiter=reader.delimiter,
            sheet=reader.sheet,
        )
        tally = Tally()
        rows_read = _stage_all(claim, reader, tally, on_progress)
        report = _compared(reader, tally)
    report.rows_read = rows_read
    jobs.note_progress(claim, phase=Phase.APPLYING, rows_read=rows_read, percent=None)
    on_progress(Phase.APPLYING, report.rows_read, None)
    _conclude(claim, report, tally, dry_run=job.dry_run)
    on_progress(Phase.DONE, report.rows_read, 100.0)


@contextmanager
def _opened(store: UploadStore, job: Job) -> Iterator[BinaryIO]:
    """The stored file, after a look at whether it still is the one that was uploaded."""
    try:
        file = store.open(job.file_key)
    except FileLost as error:
        raise JobFailure(
            JobCode.FILE_LOST,
            "The uploaded file is no longer in the upload store. Please upload it again.",
        ) from error
    with file:
        digest = hashlib.sha256()
        while block := file.read(HASH_BYTES):
            digest.update(block)
        if digest.hexdigest() != job.sha256:
            raise JobFailure(
                JobCode.FILE_CHANGED,
                "The stored file is not the one that was uploaded. Please upload it again.",
            )
        file.seek(0)
        yield file


def _stage_all(claim: Claim, reader: RollReader, tally: Tally, on_progress: OnProgress) -> int:
    """Stage the good rows in batches; between two of them the connection is free to tell the
    progress. Returns how many rows were read."""
    staging.begin_staging()
    rows = _good_rows(reader, tally)
    staged = 0
    told_at = time.monotonic()
    for first in rows:
        batch = chain((first,), islice(rows, BATCH_ROWS - 1))
        staged += staging.stage(batch)
        rows_read = staged + tally.rejected
        if time.monotonic() - told_at >= PROGRESS_SECONDS:
            percent = round(100 * fraction, 1) if (fraction := reader.fraction()) else None
            jobs.note_progress(claim, rows_read=rows_read, percent=percent)
            on_progress(Phase.READING, rows_read, percent)
            told_at = time.monotonic()
    rows_read = staged + tally.rejected
    if not rows_read:
        raise FileFault(
            FileCode.NO_ROWS,
            "The file has a header and no rows below it. Please export the roll again.",
        )
    return rows_read


def _good_rows(reader: RollReader, tally: Tally) -> Iterator[Staged]:
    validate = compile_validator(reader.header)
    for line, cells in reader:
        row = validate(line, cells)
        if isinstance(row, tuple):
            yield row
        elif row is None:
            tally.blank_rows += 1
        else:
            tally.reject(row)


def _compared(reader: RollReader, tally: Tally) -> Report:
    """Take out what contradicts or repeats itself, and count what the file alone can tell."""
    staging.analyze_staging()
    tally.missing.update(merge.count_missing())
    merge.find_repeats()
    label = reader.header.labels[reader.header.columns["student_id"]]
    for error in islice(conflict_errors(label), MAX_KEPT_FAULTS):
        tally.keep((error,))
    if conflicting := merge.drop_conflicting():
        tally.rejected += conflicting
        tally.errors["CONFLICTING_ROWS"] += conflicting
    repeated = merge.drop_repeated()
    warnings = Counter(reader.warnings)
    warnings[WarningCode.REPEATED_ROW] += repeated
    warnings[WarningCode.SHARED_EMAIL] += merge.count_shared_emails()
    return Report(
        repeated=repeated,
        rejected=tally.rejected,
        blank_rows=tally.blank_rows,
        missing_columns=list(reader.header.missing),
        ignored_columns=list(reader.header.ignored),
        missing_fields=dict(tally.missing),
        errors=dict(tally.errors),
        warnings={str(code): count for code, count in warnings.items() if count},
    )


def _conclude(claim: Claim, report: Report, tally: Tally, *, dry_run: bool) -> None:
    """Change the roll and the job in one transaction, or only find out what would change."""
    with database.atomic():
        if not dry_run:
            merge.lock_roll()
        counts = merge.compare() if dry_run else merge.apply()
        report.created = counts.created
        report.updated = counts.updated
        report.unchanged = counts.unchanged
        report.check()
        jobs.finish(claim, report.to_dict(), sorted(tally.kept, key=lambda error: error.line))
