"""The states of a job in the database, on SQLite and PostgreSQL."""

from uuid import uuid4

import pytest
from peewee import IntegrityError

from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import claims, jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.errors import AttemptLost
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, JobFault, OutboxEntry
from shared.jobs.states import JobCode, JobState, OutboxState, Phase
from shared.roll_file.errors import RowCode, RowError
from tests.support.outbox_entries import mail_of

pytestmark = pytest.mark.usefixtures("any_database")

FILE = StoredFile(key="k", name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")
REPORT = {"rows_read": 3}


def new_job() -> Claim:
    job_id = jobs.create(FILE, uploaded_by="tests")
    return Claim(job_id, 0)


def claim_job(job_id: object = None, worker: str = "w") -> Claim:
    claim = transitions.claim(
        job_id or new_job().job_id,  # type: ignore[arg-type]
        worker=worker,
        lease_seconds=30,
        max_attempts=3,
    )
    assert claim is not None
    return claim


def expire_lease(claim: Claim) -> None:
    Job.update(lease_expires_at=clock(-1)).where(Job.id == claim.job_id).execute()


def state_of(claim: Claim) -> str:
    job = jobs.find(claim.job_id)
    assert job is not None
    return job.state


def test_a_new_job_waits_and_is_due() -> None:
    job_id = jobs.create(FILE, uploaded_by="tests")
    job = jobs.find(job_id)
    assert job is not None
    assert (job.state, job.phase, job.attempts) == (JobState.PENDING, "queued", 0)
    assert transitions.due_jobs(5) == [job_id]


def test_a_claim_counts_an_attempt_and_the_job_is_no_longer_due() -> None:
    claim = claim_job()
    assert claim.attempt == 1
    assert state_of(claim) == JobState.STARTED
    assert transitions.due_jobs(5) == []


def test_a_running_job_cannot_be_claimed_by_another_worker() -> None:
    claim = claim_job()
    assert transitions.claim(claim.job_id, worker="x", lease_seconds=30, max_attempts=3) is None


def test_an_unknown_job_cannot_be_claimed() -> None:
    assert transitions.claim(uuid4(), worker="x", lease_seconds=30, max_attempts=3) is None


def test_an_expired_lease_frees_the_job_and_counts_a_death() -> None:
    first = claim_job()
    expire_lease(first)
    assert transitions.due_jobs(5) == [first.job_id]
    second = claim_job(first.job_id, worker="other")
    job = jobs.find(first.job_id)
    assert job is not None
    assert (second.attempt, job.deaths, job.worker) == (2, 1, "other")


def test_a_stale_attempt_changes_nothing() -> None:
    stale = claim_job()
    expire_lease(stale)
    claim_job(stale.job_id)
    assert claims.renew(stale, 30) is False
    assert transitions.fail(stale, "X", "x") is False
    assert transitions.release(stale, death=None, max_attempts=3) is None
    with pytest.raises(AttemptLost):
        claims.note_rows_read(stale, 5)
    with pytest.raises(AttemptLost), database.atomic():
        transitions.finish(stale, REPORT, [])
    job = jobs.find(stale.job_id)
    assert job is not None
    assert (job.state, job.rows_read, job.report) == (JobState.STARTED, 0, None)


def test_the_last_allowed_death_is_a_failure_with_a_mail() -> None:
    claim = claim_job()
    for _ in range(2):
        expire_lease(claim)
        claim = claim_job(claim.job_id)
    expire_lease(claim)
    assert transitions.claim(claim.job_id, worker="x", lease_seconds=30, max_attempts=3) is None
    job = jobs.find(claim.job_id)
    assert job is not None
    assert (job.state, job.error_code) == (JobState.FAILURE, JobCode.WORKER_CRASHED)
    assert mail_of(job.id).state == OutboxState.PENDING


def test_a_waiting_job_with_too_many_deaths_blocks_no_other() -> None:
    claim = claim_job()
    transitions.release(claim, death=JobCode.WORKER_CRASHED, max_attempts=9)
    Job.update(deaths=3, not_before=clock(-1)).where(Job.id == claim.job_id).execute()
    following = new_job()
    assert transitions.due_jobs(1) == [claim.job_id]
    assert transitions.claim(claim.job_id, worker="v", lease_seconds=30, max_attempts=3) is None
    assert state_of(claim) == JobState.FAILURE
    assert transitions.due_jobs(1) == [following.job_id]


def test_a_worker_does_not_finish_a_job_of_a_closed_terminal() -> None:
    claim = jobs.create_started(
        FILE, uploaded_by="tests", dry_run=False, worker=transitions.FOREGROUND, lease_seconds=30
    )
    assert transitions.claim(claim.job_id, worker="w", lease_seconds=30, max_attempts=3) is None
    assert state_of(claim) == JobState.STARTED
    expire_lease(claim)
    assert transitions.claim(claim.job_id, worker="w", lease_seconds=30, max_attempts=3) is None
    job = jobs.find(claim.job_id)
    assert job is not None
    assert (job.state, job.error_code) == (JobState.FAILURE, JobCode.INTERRUPTED)
    assert mail_of(job.id).state == OutboxState.PENDING


def test_a_job_that_waits_shows_no_progress() -> None:
    claim = claim_job()
    claims.note_progress(claim, Phase.READING, 88, 8.8)
    transitions.release(claim, death=None, max_attempts=3)
    job = jobs.find(claim.job_id)
    assert job is not None
    assert (job.phase, job.rows_read, job.percent) == (Phase.QUEUED, 0, None)


def test_finishing_writes_report_faults_and_mail_together() -> None:
    claim = claim_job()
    fault = RowError(4, "E-mail", RowCode.INVALID_EMAIL, "x", "Mend it.")
    with database.atomic():
        transitions.finish(claim, REPORT, [fault])
    job = jobs.find(claim.job_id)
    assert job is not None
    assert (job.state, job.report, job.percent) == (JobState.SUCCESS, REPORT, 100.0)
    assert job.finished_at is not None
    assert job.lease_expires_at is None
    assert mail_of(job.id).state == OutboxState.PENDING
    assert [(row.line, row.code) for row in JobFault.select()] == [(4, "INVALID_EMAIL")]


def test_a_rolled_back_finish_leaves_the_job_running() -> None:
    claim = claim_job()
    with pytest.raises(ZeroDivisionError), database.atomic():
        transitions.finish(claim, REPORT, [])
        raise ZeroDivisionError
    assert state_of(claim) == JobState.STARTED
    assert not OutboxEntry.select().exists()


def test_only_the_first_thousand_faults_are_kept() -> None:
    claim = claim_job()
    fault = RowError(4, "E-mail", RowCode.INVALID_EMAIL, "x", "Mend it.")
    with database.atomic():
        transitions.finish(claim, REPORT, [fault] * 1005)
    assert JobFault.select().count() == 1000


def test_a_shutdown_makes_the_job_due_now_and_counts_no_death() -> None:
    claim = claim_job()
    assert transitions.release(claim, death=None, max_attempts=3) == JobState.RETRY
    assert transitions.due_jobs(5) == [claim.job_id]
    assert claim_job(claim.job_id).attempt == 2
    job = jobs.find(claim.job_id)
    assert job is not None
    assert job.deaths == 0


def test_a_death_delays_the_next_attempt() -> None:
    claim = claim_job()
    assert (
        transitions.release(claim, death=JobCode.WORKER_CRASHED, max_attempts=3) == JobState.RETRY
    )
    assert transitions.due_jobs(5) == []
    Job.update(not_before=clock(-1)).execute()
    assert transitions.due_jobs(5) == [claim.job_id]


def test_deaths_used_up_end_in_the_failure_that_they_were() -> None:
    claim = claim_job()
    released = transitions.release(claim, death=JobCode.SERVICE_UNAVAILABLE, max_attempts=1)
    job = jobs.find(claim.job_id)
    assert job is not None
    assert released == JobState.FAILURE
    assert job.error_code == JobCode.SERVICE_UNAVAILABLE


def test_due_jobs_come_in_the_order_of_their_upload() -> None:
    ids = [jobs.create(FILE, uploaded_by="tests") for _ in range(3)]
    for offset, job_id in enumerate(reversed(ids)):
        Job.update(created_at=clock(offset - 10.0)).where(Job.id == job_id).execute()
    assert transitions.due_jobs(2) == list(reversed(ids))[:2]


@pytest.mark.parametrize(
    "values",
    [
        {"state": "DONE"},
        {"state": "SUCCESS"},
        {"state": "STARTED"},
        {"finished_at": clock},
        {"error_code": "X"},
    ],
)
def test_the_database_refuses_a_state_that_contradicts_itself(values: dict[str, object]) -> None:
    claim = new_job()
    resolved = {name: value() if callable(value) else value for name, value in values.items()}
    with pytest.raises(IntegrityError):
        Job.update(**resolved).where(Job.id == claim.job_id).execute()
