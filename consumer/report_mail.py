"""The text of a report mail, from nothing but a finished job. Pure: it reads and sends nothing.

It holds counts, codes and line numbers; no value of a row ever goes into a mail.
"""

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import chain

from shared.jobs.models import Job, JobFault
from shared.jobs.states import JobState
from shared.roll.errors import DESCRIPTIONS, RowCode
from shared.roll.report import Report

TOP_FAULTS = 5
LINE_CHARS = 78
SUBJECT_NAME_CHARS = 60


def compose(job: Job, faults: Sequence[JobFault]) -> tuple[str, str]:
    """Subject and plain-text body for a job in a final state.

    `faults` are a few row faults of the job, in the order of their lines, as examples.
    """
    if job.state == JobState.SUCCESS:
        report = Report.from_dict(job.report)
        parts = [*_success(job, report), *_faults(report, faults), *_next_steps(job, report)]
    elif job.state == JobState.REVOKED:
        parts = _cancelled(job)
    else:
        parts = _failure(job)
    lines = chain.from_iterable(map(_wrapped, [*parts, *_particulars(job)]))
    return _subject(job), "\n".join(lines)


def _wrapped(line: str) -> list[str]:
    """No mail server need take a line of more than 998 characters (RFC 5322, 2.1.1)."""
    indent = line[: len(line) - len(line.lstrip())]
    return textwrap.wrap(line, LINE_CHARS, subsequent_indent=indent) or [""]


def _subject(job: Job) -> str:
    name = job.file_name[:SUBJECT_NAME_CHARS]
    if job.state == JobState.REVOKED:
        return f"[Voter roll] Cancelled: {name}"
    if job.state != JobState.SUCCESS:
        return f"[Voter roll] Not imported: {name}"
    report = Report.from_dict(job.report)
    verb = "Checked" if job.dry_run else "Imported"
    return f"[Voter roll] {verb}: {name}, {report.saved:,} of {report.rows_read:,} rows"


def _success(job: Job, report: Report) -> list[str]:
    lines = [
        report.sentence(dry_run=job.dry_run),
        "",
        *_table(
            {
                "Rows processed": report.rows_read,
                "Rows saved": report.saved,
                "  created": report.created,
                "  updated": report.updated,
                "  unchanged": report.unchanged,
                "  repeated": report.repeated,
                "Rows rejected": report.rejected,
                "Blank rows": report.blank_rows,
            }
        ),
        "",
    ]
    if report.assumptions:
        lines += ["What was assumed", *(f"  {sentence}" for sentence in report.assumptions), ""]
    if report.signs:
        lines += ["Odd signs", *(f"  {sign['message']}" for sign in report.signs), ""]
    if report.missing_fields:
        lines += ["Missing fields (rows)", *_table(report.missing_fields), ""]
    if report.missing_columns:
        lines += [f"Columns that the file does not have: {', '.join(report.missing_columns)}", ""]
    if report.ignored_columns:
        lines += [f"Columns that were not used: {', '.join(report.ignored_columns)}", ""]
    return lines


def _faults(report: Report, faults: Sequence[JobFault]) -> list[str]:
    lines: list[str] = []
    for title, counts in (
        ("Most frequent faults", report.errors),
        ("Worth a look", report.warnings),
    ):
        if counts:
            lines += [title, *_described(counts), ""]
    if faults:
        lines += ["For instance", *(f"  line {fault.line}: {fault.code}" for fault in faults), ""]
    return lines


def _described(counts: Mapping[str, int]) -> Iterable[str]:
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    descriptions = {str(code): text for code, text in DESCRIPTIONS.items()}
    for code, rows in ranked[:TOP_FAULTS]:
        yield f"  {code}: {rows:,} {'row' if rows == 1 else 'rows'}. {descriptions.get(code, '')}"


def _next_steps(job: Job, report: Report) -> list[str]:
    if job.dry_run:
        step = "Nothing was changed. Apply this preview, or import the file without the dry run."
    elif not report.rejected:
        step = "There is nothing left to do: every row is on the roll."
    elif report.errors.keys() == {RowCode.CONFLICTING_ROWS}:
        step = "Ask the registrar which of the contradicting rows is right, and upload them again."
    else:
        step = (
            "Mend the rejected rows in the file and upload it again. The rows that are on the roll"
            " already are recognised and stay as they are."
        )
    return ["What to do next", f"  {step}", ""]


def _failure(job: Job) -> list[str]:
    return [
        "The file was not imported. The roll is as it was before.",
        "",
        "Reason",
        f"  {job.error_message} ({job.error_code})",
        "",
        "What to do next",
        "  Mend what the reason names, or export the file anew, and upload it again.",
        "",
    ]


def _cancelled(job: Job) -> list[str]:
    return [
        f"The import was cancelled by {job.cancelled_by}. The roll is as it was before.",
        "",
        "What to do next",
        "  Nothing. To import the file after all, try the task again or upload the file again.",
        "",
    ]


def _particulars(job: Job) -> list[str]:
    return [
        "The file",
        f"  Name       {job.file_name}",
        f"  Size       {job.size_bytes:,} bytes",
        f"  SHA-256    {job.sha256}",
        f"  Uploaded   {_utc(job.created_at)} by {job.uploaded_by or 'unknown'}",
        f"  Finished   {_utc(job.finished_at)}",
        f"  Task id    {job.id}",
        "",
    ]


def _table(counts: Mapping[str, int]) -> list[str]:
    width = max(map(len, counts))
    return [f"  {name:<{width}}  {count:>9,}" for name, count in counts.items()]


def _utc(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "-"
