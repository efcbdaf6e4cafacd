"""The content of a report mail, made from a finished job. These functions do no I/O.

A mail holds counts, codes and line numbers. It never holds a value of a row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from consumer.mail.layout import Section, as_html, as_text
from shared.jobs.models import Job, JobFault
from shared.jobs.states import JobState
from shared.roll_file.errors import DESCRIPTIONS, RowCode
from shared.roll_file.report import Report

TOP_FAULTS = 5
EXAMPLES = 5
SUBJECT_NAME_CHARS = 60


@dataclass(frozen=True, slots=True)
class ReportMail:
    """The mail to the administrators: the same content as text and as HTML."""

    subject: str
    text: str
    html: str


def compose(
    job: Job, faults: Sequence[JobFault], *, link: str = "", is_attached: bool = False
) -> ReportMail:
    """The mail about a job in a final state.

    `faults` are the row faults that the job keeps, in the order of their lines. The mail names a
    few of them as examples. `link` is the URL of the job's page, or "" if it is not known.
    `is_attached` says whether the rejects file is attached.
    """
    subject = _subject(job)
    introduction = _introduction(job)
    sections = [*_sections(job, faults, link, is_attached), _particulars(job)]
    return ReportMail(
        subject,
        as_text(introduction, sections, link),
        as_html(subject, introduction, sections, link),
    )


def _subject(job: Job) -> str:
    name = job.file_name[:SUBJECT_NAME_CHARS]
    if job.state == JobState.REVOKED:
        return f"[Voter roll] Cancelled: {name}"
    if job.state != JobState.SUCCESS:
        return f"[Voter roll] Not imported: {name}"
    report = Report.from_dict(job.report)
    verb = "Checked" if job.dry_run else "Imported"
    return f"[Voter roll] {verb}: {name}, {report.saved:,} of {report.rows_read:,} rows"


def _introduction(job: Job) -> str:
    if job.state == JobState.REVOKED:
        return f"The import was cancelled by {job.cancelled_by}. The roll is as it was before."
    if job.state != JobState.SUCCESS:
        return "The file was not imported. The roll is as it was before."
    return Report.from_dict(job.report).sentence(dry_run=job.dry_run)


def _sections(
    job: Job, faults: Sequence[JobFault], link: str, is_attached: bool
) -> Iterator[Section]:
    if job.state == JobState.REVOKED:
        yield Section(
            "Next steps",
            ("Nothing. To import the file after all, retry the job or upload it again.",),
        )
        return
    if job.state != JobState.SUCCESS:
        yield Section("Reason", (f"{job.error_message} ({job.error_code})",))
        yield from _examples(faults)
        yield Section(
            "Next steps",
            ("Fix what the reason names, or export the file again. Then upload it.",),
        )
        return
    report = Report.from_dict(job.report)
    yield Section("Rows", table=_rows(report, "to be " if job.dry_run else ""))
    yield Section("Next steps", (_next_step(job, report, link, is_attached),))
    yield from _findings(report, faults)


def _rows(report: Report, to_be: str) -> tuple[tuple[str, str], ...]:
    counts = {
        "Rows processed": report.rows_read,
        f"Rows {to_be}saved": report.saved,
        f"  {to_be}created": report.created,
        f"  {to_be}updated": report.updated,
        "  unchanged": report.unchanged,
        "  repeated": report.repeated,
        **({"Rows skipped by the mode": report.left_alone} if report.left_alone else {}),
        "Rows rejected": report.rejected,
        "Blank rows": report.blank_rows,
    }
    if report.eligibility_on or report.eligibility_off:
        counts["Became eligible"] = report.eligibility_on
        counts["No longer eligible"] = report.eligibility_off
    return tuple((label, f"{count:,}") for label, count in counts.items())


def _findings(report: Report, faults: Sequence[JobFault]) -> Iterator[Section]:
    if report.assumptions:
        yield Section("Assumptions", tuple(report.assumptions))
    if report.signs:
        yield Section("Odd signs", tuple(sign["message"] for sign in report.signs))
    if report.missing_fields:
        table = tuple(
            (name.replace("_", " "), f"{rows:,}") for name, rows in report.missing_fields.items()
        )
        yield Section("Missing fields (rows)", table=table)
    columns = {
        "Columns that the file does not have": report.missing_columns,
        "Columns that were not used": report.ignored_columns,
    }
    lines = tuple(f"{what}: {', '.join(names)}" for what, names in columns.items() if names)
    if lines:
        yield Section("Columns", lines)
    for title, counts in (
        ("Most frequent faults", report.errors),
        ("Warnings", report.warnings),
    ):
        if counts:
            yield Section(title, tuple(_fault_lines(counts, faults)))


def _examples(faults: Sequence[JobFault]) -> Iterator[Section]:
    if faults:
        examples = (f"line {one.line:,}: {_meaning(one.code)}" for one in faults[:EXAMPLES])
        yield Section("Examples", tuple(examples))


def _fault_lines(counts: Mapping[str, int], faults: Sequence[JobFault]) -> Iterator[str]:
    """The most frequent codes with their meanings, and with example lines if there are any."""
    items = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for code, rows in items[:TOP_FAULTS]:
        count = f"{rows:,} {'row' if rows == 1 else 'rows'}"
        lines = dict.fromkeys(f"{fault.line:,}" for fault in faults if fault.code == code)
        example = f", for example line {' and '.join(list(lines)[:2])}" if lines else ""
        yield f"{count}{example}: {_meaning(code)}"


def _meaning(code: str) -> str:
    descriptions = {str(code_name): text for code_name, text in DESCRIPTIONS.items()}
    return f"{descriptions.get(code, '')} ({code})"


def _next_step(job: Job, report: Report, link: str, is_attached: bool) -> str:
    if job.dry_run:
        return _after_preview(report, link, is_attached)
    if not report.rejected and report.left_alone:
        return (
            "Nothing, if the skipped rows are to stay as they are. To save them, import the"
            " file again without that mode."
        )
    if not report.rejected:
        return "There is nothing left to do: every row is on the roll."
    return (
        f"{_advice_to_fix(report, is_attached)} The service recognises the rows that are on the"
        " roll already and leaves them as they are."
    )


def _after_preview(report: Report, link: str, is_attached: bool) -> str:
    where = "on the page of this job" if link else "through the API"
    if report.created or report.updated:
        step = f"To change the roll like this, apply the preview {where}."
    else:
        step = "There is nothing to apply: the roll would stay as it is."
    advice = f" {_advice_to_fix(report, is_attached)}" if report.rejected else ""
    return f"Nothing was changed. {step}{advice}"


def _advice_to_fix(report: Report, is_attached: bool) -> str:
    if report.errors.keys() == {RowCode.CONFLICTING_ROWS}:
        return (
            "Ask the registrar which of the contradicting rows is right. Then upload the right"
            " rows."
        )
    where = "in the attached file" if is_attached else "in the rejects file"
    return f"Fix the rejected rows {where} and upload them again."


def _particulars(job: Job) -> Section:
    return Section(
        "The file",
        table=(
            ("Name", job.file_name),
            ("Size", f"{job.size_bytes:,} bytes"),
            ("SHA-256", job.sha256),
            ("Uploaded", f"{_utc(job.created_at)} by {job.uploaded_by or 'unknown'}"),
            ("Finished", _utc(job.finished_at)),
            ("Job id", str(job.id)),
        ),
        is_prose=True,
    )


def _utc(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "-"
