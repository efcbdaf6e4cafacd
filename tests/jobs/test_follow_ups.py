"""Follow-up jobs: what they copy from the first job, and that two requests make only one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.database.connection import database
from shared.database.sql import clock
from shared.importing.conditions import check_preview
from shared.importing.errors import JobFailure
from shared.jobs import jobs, transitions
from shared.jobs.jobs import NOT_COPIED, StoredFile
from shared.jobs.models import Job
from shared.jobs.states import JobState

pytestmark = pytest.mark.usefixtures("any_database")

FILE = StoredFile(key="k", name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")
OPTIONS = {"mode": "update_only", "on_error": "abort", "expected_rows": 3, "encoding": "cp1252"}
# A follow-up copies every new column, unless it names it. Decide, and add the column here.
COPIED = {
    "dry_run",
    "options",
    "preview_of",
    "file_key",
    "file_name",
    "size_bytes",
    "sha256",
    "format",
}


def failed_job(**values: Any) -> Job:
    job_id = jobs.create(FILE, uploaded_by="ann", options=OPTIONS)
    claim = transitions.claim(job_id, worker="w", lease_seconds=9, max_attempts=3)
    assert claim is not None
    transitions.fail(claim, "X", "x")
    if values:
        Job.update(**values).where(Job.id == job_id).execute()
    return Job.get_by_id(job_id)


def finished_preview() -> Job:
    claim = jobs.create_started(
        FILE, uploaded_by="ann", dry_run=True, worker="w", lease_seconds=9, options=OPTIONS
    )
    with database.atomic():
        transitions.finish(claim, {"rows_read": 3}, [], roll_version=7)
    return Job.get_by_id(claim.job_id)


def test_every_column_is_copied_or_named() -> None:
    assert set(Job._meta.fields) == COPIED | NOT_COPIED
    assert not COPIED & NOT_COPIED


def test_a_follow_up_has_what_is_copied_and_nothing_else() -> None:
    earlier = failed_job()
    columns: dict[str, Any] = {
        "dry_run": True,
        "options": OPTIONS,
        "preview_of": uuid4(),
        "file_key": "another key",
        "file_name": "other.xlsx",
        "size_bytes": 77,
        "sha256": "7" * 64,
        "format": "xlsx",
    }
    assert set(columns) == COPIED
    unwanted = object()
    for name in NOT_COPIED - {"id"}:
        setattr(earlier, name, unwanted)
    for name, value in columns.items():
        setattr(earlier, name, value)
    made = jobs.create_again(earlier, uploaded_by="ben", retry_of=earlier.id)
    follow_up = Job.get_by_id(made)
    assert {name: getattr(follow_up, name) for name in COPIED} == columns
    assert (follow_up.uploaded_by, follow_up.retry_of) == ("ben", earlier.id)


def test_a_retry_of_an_apply_keeps_the_preview_as_its_condition() -> None:
    preview = finished_preview()
    applied = jobs.create_again(preview, uploaded_by="ann", dry_run=False, preview_of=preview.id)
    Job.update(state=JobState.REVOKED, finished_at=clock()).where(Job.id == applied).execute()
    retried = jobs.create_again(Job.get_by_id(applied), uploaded_by="ann", retry_of=applied)
    job = Job.get_by_id(retried)
    assert (job.preview_of, job.retry_of, job.options) == (preview.id, applied, OPTIONS)
    check_preview(job, 7)
    with pytest.raises(JobFailure):
        check_preview(job, 8)


def test_a_preview_that_is_gone_is_no_leave_to_import() -> None:
    with pytest.raises(JobFailure):
        check_preview(failed_job(preview_of=uuid4()), 7)


def an_application(preview: Job) -> UUID | None:
    return jobs.create_again(preview, uploaded_by="ann", dry_run=False, preview_of=preview.id)


def a_retry(failed: Job) -> UUID | None:
    return jobs.create_again(failed, uploaded_by="ann", retry_of=failed.id)


CASES = [(finished_preview, an_application), (failed_job, a_retry)]
Follow = Callable[[Job], UUID | None]


@pytest.mark.parametrize(("make", "follow"), CASES)
def test_two_follow_ups_at_once_are_one_job(make: Callable[[], Job], follow: Follow) -> None:
    earlier = make()
    count = 4
    start = Barrier(count)

    def act(_: int) -> UUID | None:
        start.wait()
        try:
            return follow(earlier)
        finally:
            database.close()

    with ThreadPoolExecutor(count) as threads:
        made = list(threads.map(act, range(count)))
    assert made[0] is not None
    assert set(made) == {made[0]}
    assert Job.select().count() == 2


@pytest.mark.parametrize(("make", "follow"), CASES)
@pytest.mark.parametrize(
    ("state", "is_kept"),
    [("PENDING", True), ("SUCCESS", True), ("FAILURE", False), ("REVOKED", False)],
)
def test_a_live_follow_up_is_returned_again(
    make: Callable[[], Job], follow: Follow, state: str, is_kept: bool
) -> None:
    earlier = make()
    first = follow(earlier)
    final: dict[str, Any] = {
        "finished_at": None if state == "PENDING" else clock(),
        "report": {} if state == "SUCCESS" else None,
        "error_code": "X" if state == "FAILURE" else None,
    }
    Job.update(state=state, **final).where(Job.id == first).execute()
    assert (follow(earlier) == first) == is_kept


def test_an_apply_and_a_retry_of_an_apply_are_one_job() -> None:
    preview = finished_preview()
    applied = failed_job(preview_of=preview.id)
    retried = jobs.create_again(applied, uploaded_by="ann", retry_of=applied.id)
    assert an_application(preview) == retried


def test_a_preview_again_is_no_retry_of_the_import() -> None:
    failed = failed_job()
    preview = jobs.create_again(
        failed, uploaded_by="ann", dry_run=True, preview_of=None, retry_of=failed.id
    )
    assert a_retry(failed) != preview
