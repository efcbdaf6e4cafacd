"""The steps of an attempt: read, validate, stage, compare, apply.

The roll and the job's state change together, in one transaction at the end. An attempt that ends
earlier leaves nothing behind, so the next one can start again.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import BinaryIO

from shared.audit import Action, record
from shared.database.connection import database
from shared.importing.conditions import check_conditions, check_preview
from shared.importing.errors import JobFailure
from shared.importing.options import ImportOptions
from shared.importing.reading import Ids, OnProgress, original_rows, stage_all
from shared.importing.rejected_rows import Rejections
from shared.jobs import claims, jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.errors import AttemptLost
from shared.jobs.models import Job
from shared.jobs.states import JobCode, Phase
from shared.roll_file.errors import WarningCode
from shared.roll_file.limits import Limits
from shared.roll_file.reader import open_roll
from shared.roll_file.report import Report
from shared.roll_file.rows.row import RollReader
from shared.staging import merge, repeats
from shared.staging.conflicts import note_conflicts
from shared.staging.differences import sample_differences
from shared.staging.odd_signs import odd_signs
from shared.storage.errors import FileLost
from shared.storage.store import UploadStore, delete_unless_committed
from shared.voters.history import Author
from shared.voters.roll import lock_roll, roll_version

MAX_DIFFERENCES = 50
HASH_BYTES = 1024 * 1024


def run(claim: Claim, store: UploadStore, limits: Limits, on_progress: OnProgress) -> None:
    """Bring the job to SUCCESS.

    Raises `FileFault`, `JobFailure`, `AttemptLost`, and what the database and the store raise when
    they are unavailable. The roll is unchanged then.
    """
    job = jobs.find(claim.job_id)
    if job is None:
        raise AttemptLost(f"job {claim.job_id} is gone")
    options = ImportOptions.from_dict(job.options)
    open_reader = partial(open_roll, options=options, limits=limits)
    with _open(store, job) as file, open_reader(file) as reader:
        claims.note_file(
            claim,
            file_format=reader.format,
            encoding=reader.encoding,
            delimiter=reader.delimiter,
            sheet=reader.sheet,
        )
        header = reader.header
        with Rejections(header.labels, header.unnamed, job.size_bytes) as rejections:
            ids = Ids()
            report = stage_all(claim, reader, rejections, ids, on_progress)
            claims.note_rows_read(claim, report.rows_read)
            label = header.labels[header.columns["student_id"]]
            if not ids.are_rising and _find_conflicts(label):
                with open_reader(file) as once_more:
                    rejections.add_conflicts(original_rows(once_more), label)
            _compare(report, reader, rejections)
            check_conditions(options, report, rejections, store)
            claims.note_progress(claim, Phase.APPLYING, report.rows_read, None)
            on_progress(Phase.APPLYING, report.rows_read, None)
            _conclude(claim, job, options, report, rejections, store)
    on_progress(Phase.DONE, report.rows_read, 100.0)


@contextmanager
def _open(store: UploadStore, job: Job) -> Iterator[BinaryIO]:
    """Open the stored file after a check that it is still the uploaded one."""
    try:
        file = store.open(job.file_key)
    except FileLost as error:
        raise JobFailure(
            JobCode.FILE_LOST,
            "The uploaded file is no longer in the upload store. Upload it again.",
        ) from error
    with file:
        digest = hashlib.sha256()
        while block := file.read(HASH_BYTES):
            digest.update(block)
        if digest.hexdigest() != job.sha256:
            raise JobFailure(
                JobCode.FILE_CHANGED,
                "The stored file is not the one that was uploaded. Upload it again.",
            )
        file.seek(0)
        yield file


def _find_conflicts(label: str) -> bool:
    repeats.find_repeats()
    note_conflicts(label)
    return repeats.drop_conflicting() > 0


def _compare(report: Report, reader: RollReader, rejections: Rejections) -> None:
    """Remove repeated rows, and complete the report with what the file alone shows."""
    header = reader.header
    report.repeated = repeats.drop_repeated()
    report.rejected = rejections.count
    report.missing_columns = list(header.missing)
    report.ignored_columns = list(header.ignored)
    report.errors = dict(rejections.errors)
    report.columns = {field: header.labels[index] for field, index in header.columns.items()}
    report.assumptions = [*reader.assumptions, *rejections.assumptions]
    report.signs = [{"code": code, "message": message} for code, message in odd_signs()]
    warnings = Counter(reader.warnings)
    warnings[WarningCode.REPEATED_ROW] += report.repeated
    warnings[WarningCode.SHARED_EMAIL] += repeats.count_shared_emails()
    report.warnings = {str(code): count for code, count in warnings.items() if count}


def _conclude(
    claim: Claim,
    job: Job,
    options: ImportOptions,
    report: Report,
    rejections: Rejections,
    store: UploadStore,
) -> None:
    """Change the roll and the job in one transaction, or for a preview find what would change."""
    rejects_key = rejections.store_in(store)
    with delete_unless_committed(store, rejects_key), database.atomic():
        lock_roll()
        check_preview(job, roll_version())
        if job.dry_run:
            _preview(report, options.mode)
        else:
            author = Author(job.uploaded_by, job_id=job.id)
            _count(report, merge.apply(author, options.mode))
            _record(job, report)
        report.check()
        transitions.finish(
            claim,
            report.to_dict(),
            rejections.first_faults(),
            rejects_key=rejects_key,
            roll_version=roll_version(),
        )


def _record(job: Job, report: Report) -> None:
    record(
        Action.IMPORT,
        job.id,
        detail=f"{report.created:,} voters created, {report.updated:,} updated",
    )


def _preview(report: Report, mode: merge.Mode) -> None:
    counts = merge.compare(mode)
    _count(report, counts)
    report.would_create, report.would_update = counts.created, counts.updated
    report.differences = sample_differences(mode, MAX_DIFFERENCES)


def _count(report: Report, counts: merge.Counts) -> None:
    report.created = counts.created
    report.updated = counts.updated
    report.unchanged = counts.unchanged
    report.eligibility_on = counts.eligibility_on
    report.eligibility_off = counts.eligibility_off
    counts_of_rest = {
        WarningCode.NOT_CREATED: counts.not_created,
        WarningCode.NOT_UPDATED: counts.not_updated,
    }
    report.warnings |= {str(code): rows for code, rows in counts_of_rest.items() if rows}
