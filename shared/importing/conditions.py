"""Check the conditions of an import beyond good rows. A broken one ends the job as FAILURE."""

from collections.abc import Iterator

from shared.importing.errors import JobFailure
from shared.importing.options import ImportOptions, OnError
from shared.importing.rejected_rows import Rejections
from shared.jobs import jobs
from shared.jobs.models import Job
from shared.jobs.states import JobCode
from shared.roll_file.report import Report
from shared.storage.store import UploadStore


def check_conditions(
    options: ImportOptions, report: Report, rejections: Rejections, store: UploadStore
) -> None:
    """Raise `JobFailure` for the first broken condition, with the rejects file in the store."""
    for code, message in _violations(options, report):
        raise JobFailure(
            code,
            message,
            faults=list(rejections.first_faults()),
            rejects_key=rejections.store_in(store),
        )


def check_preview(job: Job, version: int) -> None:
    """Raise `JobFailure` if a job applies a preview and the roll has changed since."""
    if not job.preview_of:
        return
    preview = jobs.find(job.preview_of)
    if preview is None or preview.roll_version != version:
        raise JobFailure(
            JobCode.ROLL_CHANGED,
            "The roll has changed since the preview. The import might do something else"
            " than the preview shows. Make a new preview of the file.",
        )


def _violations(options: ImportOptions, report: Report) -> Iterator[tuple[JobCode, str]]:
    rows, rejected = report.rows_read, report.rejected
    rejects = f"{rejected:,} of {rows:,} rows were rejected ({_counts(report)})"
    if options.expected_rows is not None and rows != options.expected_rows:
        message = (
            f"The file has {rows:,} rows, and {options.expected_rows:,} were expected. The"
            " roll is unchanged. Ask the registrar whether the file is complete."
        )
        yield JobCode.ROW_COUNT_MISMATCH, message
    if options.on_error == OnError.ABORT and rejected:
        message = (
            f"{rejects}, and the upload asked to save nothing in this case. The roll is"
            " unchanged. Fix the rejected rows."
        )
        yield JobCode.ROWS_REJECTED, message
    limit = options.max_rejected_percent
    if limit is not None and 100 * rejected > limit * rows:
        message = (
            f"{rejects}, more than the {limit:g} % that the upload allows. The roll is"
            " unchanged. Fix the rejected rows."
        )
        yield JobCode.TOO_MANY_REJECTED, message


def _counts(report: Report) -> str:
    items = sorted(report.errors.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{code} {rows:,}" for code, rows in items)
