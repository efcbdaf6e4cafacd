"""The verdict: compares the evidence with what the service promises."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from chaos.evidence import Evidence
from chaos.expected_roll import Counts, apply_in_order
from chaos.rolls import RollFile, make_roll, number_of
from shared.jobs.models import Job

# The promised maximum.
UPLOAD_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken promise. The closing table counts some values of `kind`."""

    kind: str
    what: str


def judge(evidence: Evidence, uploads: dict[UUID, int], seed: int) -> list[Violation]:
    """All broken promises that the evidence shows, the most serious first."""
    files = {job.id: make_roll(seed, number_of(job.file_name)) for job in evidence.jobs}
    return [
        *_lost_jobs(evidence, uploads),
        *_double_imports(evidence),
        *_stale(evidence),
        *_wrong_ends(evidence, files),
        *_wrong_rolls(evidence, files),
        *_jobs_without_mail(evidence),
        *_wrong_audit_entries(evidence),
        *_slow(evidence),
        *_left_behind(evidence),
        *(Violation("defect", f"{what} ({times}x)") for what, times in evidence.defects.items()),
    ]


def _lost_jobs(evidence: Evidence, uploads: dict[UUID, int]) -> Iterator[Violation]:
    present = {job.id for job in evidence.jobs}
    for job_id in uploads:
        if job_id not in present:
            yield Violation("lost", f"accepted job {job_id} is not in the database")


def _double_imports(evidence: Evidence) -> Iterator[Violation]:
    """Uploads that became several jobs, and jobs that succeeded several times."""
    for name, times in Counter(job.file_name for job in evidence.jobs).items():
        if times > 1:
            yield Violation("doubled", f"{name} has {times} jobs")
    for job_id, times in Counter(job_id for job_id, _ in evidence.successes).items():
        if times > 1:
            yield Violation("doubled", f"job {job_id} succeeded {times} times")


def _stale(evidence: Evidence) -> Iterator[Violation]:
    """Attempts that wrote the outcome although a later attempt owned the job."""
    last = {job.id: job.attempts for job in evidence.jobs}
    for job_id, attempt in evidence.successes:
        if attempt != last.get(job_id):
            yield Violation("stale write", f"attempt {attempt} of job {job_id} was not the last")


def _wrong_ends(evidence: Evidence, files: dict[UUID, RollFile]) -> Iterator[Violation]:
    for job in evidence.jobs:
        expected_end = (
            ("FAILURE", files[job.id].fault) if files[job.id].fault else ("SUCCESS", None)
        )
        if (job.state, job.error_code) != expected_end:
            yield Violation("wrong end", f"job {job.id} is {job.state} {job.error_code}")


def _wrong_rolls(evidence: Evidence, files: dict[UUID, RollFile]) -> Iterator[Violation]:
    """Reports and voters that differ from the reference.

    Jobs finish one after the other, inside the transactions that hold the roll. The order of
    `finished_at` is therefore the order in which they were applied.
    """
    imports = [job for job in evidence.jobs if job.state == "SUCCESS"]
    roll, counts = apply_in_order(files[job.id] for job in imports)
    for job, job_counts in zip(imports, counts, strict=True):
        if wrong := _differences(job, files[job.id], job_counts):
            yield Violation("wrong report", f"job {job.id}: {wrong}")
    for student_id in sorted(roll.keys() | evidence.roll.keys()):
        if roll.get(student_id) != evidence.roll.get(student_id):
            yield Violation("wrong voter", f"{student_id}: not what the files say in their order")


def _differences(job: Job, file: RollFile, counts: Counts) -> str:
    expected_values: dict[str, Any] = asdict(counts) | {
        "rows_read": file.rows_read,
        "repeated": file.repeated,
        "rejected": file.rejected,
    }
    return ", ".join(
        f"{name} {job.report[name]} instead of {value}"
        for name, value in expected_values.items()
        if job.report[name] != value
    )


def _jobs_without_mail(evidence: Evidence) -> Iterator[Violation]:
    for job in evidence.jobs:
        state = evidence.mail_states.get(job.id, "none")
        if not evidence.mails[job.id] or state != "sent":
            yield Violation("no mail", f"job {job.id}: mail {state}")


def _wrong_audit_entries(evidence: Evidence) -> Iterator[Violation]:
    """Audit entries that are missing, and audit entries that are too many."""
    uploads = [("upload", str(job.id)) for job in evidence.jobs]
    imports = [("import", str(job.id)) for job in evidence.jobs if job.state == "SUCCESS"]
    expected_entries = Counter([*uploads, *imports])
    for (action, job_id), times in sorted((evidence.entries - expected_entries).items()):
        yield Violation("wrong entry", f"{action} of {job_id}: {times} too many")
    for (action, job_id), times in sorted((expected_entries - evidence.entries).items()):
        yield Violation("wrong entry", f"{action} of {job_id}: {times} missing")


def _slow(evidence: Evidence) -> Iterator[Violation]:
    """An upload that was slow in the web process, as if it had waited for the broker.

    SQLite is not checked. There an upload waits for other writers, and the campaign is one.
    """
    seconds = evidence.slowest_upload_seconds
    if evidence.is_deployed and seconds > UPLOAD_SECONDS:
        yield Violation("slow", f"an upload was accepted after {seconds:.1f} s")


def _left_behind(evidence: Evidence) -> Iterator[Violation]:
    figures = {
        "job processes": evidence.job_processes,
        "advisory locks": evidence.advisory_locks,
        "temporary tables": evidence.temporary_tables,
        "temporary files": evidence.temporary_files,
    }
    for name, count in figures.items():
        if count:
            yield Violation("left behind", f"{count} {name}")
    known_keys = {key for job in evidence.jobs for key in (job.file_key, job.rejects_key) if key}
    for key in known_keys - evidence.stored_keys:
        yield Violation("lost", f"stored file {key} is gone")
    for key in evidence.stored_keys - known_keys:
        yield Violation("left behind", f"stored file {key} belongs to no job")
