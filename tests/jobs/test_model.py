"""Random sequences of the actions of workers on jobs, checked against a model."""

from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import claims, jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.errors import AttemptLost
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, OutboxEntry
from shared.jobs.states import FINAL_STATES, Channel, JobCode, JobState, OutboxState

FILE = StoredFile(key="k", name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")
MAX_ATTEMPTS = 3
FAR_SECONDS = 3600.0


@dataclass
class Expected:
    """The state of a job in the model."""

    state: JobState = JobState.PENDING
    attempts: int = 0
    deaths: int = 0
    is_due: bool = True
    is_leased: bool = False

    def end(self, state: JobState) -> None:
        self.state = state
        self.is_leased = False


class Jobs(RuleBasedStateMachine):
    """Several workers. Some are slow, dead, or wrong about which job they own."""

    jobs = Bundle("jobs")
    claims = Bundle("claims")

    def __init__(self) -> None:
        super().__init__()
        for model in (OutboxEntry, Job):
            model.delete().execute()
        self.expected: dict[UUID, Expected] = {}

    @rule(target=jobs)
    def upload(self) -> UUID:
        job_id = jobs.create(FILE, uploaded_by="tests")
        self.expected[job_id] = Expected()
        return job_id

    @rule(target=claims, job_id=jobs, worker=st.sampled_from(["one", "two"]))
    def claim(self, job_id: UUID, worker: str) -> object:
        claim = transitions.claim(
            job_id, worker=worker, lease_seconds=FAR_SECONDS, max_attempts=MAX_ATTEMPTS
        )
        job = self.expected[job_id]
        is_abandoned = job.state is JobState.STARTED and not job.is_leased
        is_waiting = job.state in (JobState.PENDING, JobState.RETRY) and job.is_due
        if not (is_abandoned or is_waiting):
            assert claim is None
            return multiple()
        if job.deaths + is_abandoned >= MAX_ATTEMPTS:
            assert claim is None
            job.end(JobState.FAILURE)
            return multiple()
        job.deaths += is_abandoned
        job.attempts += 1
        job.state, job.is_leased = JobState.STARTED, True
        assert claim == Claim(job_id, job.attempts)
        return claim

    @rule(job_id=jobs)
    def let_the_lease_run_out(self, job_id: UUID) -> None:
        expired = Job.update(lease_expires_at=clock(-1)).where(
            (Job.id == job_id) & (Job.state == JobState.STARTED)
        )
        if expired.execute():
            self.expected[job_id].is_leased = False

    @rule(job_id=jobs)
    def let_the_delay_pass(self, job_id: UUID) -> None:
        Job.update(not_before=clock(-1)).where(Job.id == job_id).execute()
        self.expected[job_id].is_due = True

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        assert claims.renew(claim, FAR_SECONDS) is self.holds(claim)
        if self.holds(claim):
            self.expected[claim.job_id].is_leased = True

    @rule(claim=claims)
    def tell_progress(self, claim: Claim) -> None:
        if self.holds(claim):
            claims.note_rows_read(claim, 7)
        else:
            with pytest.raises(AttemptLost):
                claims.note_rows_read(claim, 7)

    @rule(claim=claims, is_rolled_back=st.booleans())
    def finish(self, claim: Claim, is_rolled_back: bool) -> None:
        if not self.holds(claim):
            with pytest.raises(AttemptLost), database.atomic():
                transitions.finish(claim, {"rows_read": 3}, [])
            return
        with suppress(InterruptedError), database.atomic():
            transitions.finish(claim, {"rows_read": 3}, [])
            if is_rolled_back:
                raise InterruptedError
        if not is_rolled_back:
            self.expected[claim.job_id].end(JobState.SUCCESS)

    @rule(claim=claims)
    def fail(self, claim: Claim) -> None:
        holds = self.holds(claim)
        assert transitions.fail(claim, JobCode.FILE_LOST, "Lost.") is holds
        if holds:
            self.expected[claim.job_id].end(JobState.FAILURE)

    @rule(claim=claims, death=st.sampled_from([None, JobCode.WORKER_CRASHED]))
    def give_back(self, claim: Claim, death: JobCode | None) -> None:
        holds = self.holds(claim)
        state = transitions.release(claim, death=death, max_attempts=MAX_ATTEMPTS)
        if not holds:
            assert state is None
            return
        job = self.expected[claim.job_id]
        deaths = job.deaths + (death is not None)
        if deaths >= MAX_ATTEMPTS and death is not None:
            assert state is JobState.FAILURE
            job.end(JobState.FAILURE)
            return
        assert state is JobState.RETRY
        job.end(JobState.RETRY)
        job.deaths, job.is_due = deaths, death is None
        if death is not None:
            # Far enough for the delay not to end during a slow test.
            Job.update(not_before=clock(FAR_SECONDS)).where(Job.id == claim.job_id).execute()

    @rule(job_id=jobs)
    def cancel(self, job_id: UUID) -> None:
        job = self.expected[job_id]
        is_open = job.state not in FINAL_STATES
        assert jobs.cancel(job_id, by="ann") is is_open
        if is_open:
            job.end(JobState.REVOKED)

    def holds(self, claim: Claim) -> bool:
        job = self.expected[claim.job_id]
        return job.state is JobState.STARTED and job.attempts == claim.attempt

    @invariant()
    def the_database_is_what_the_model_says(self) -> None:
        found = {job.id: (job.state, job.attempts, job.deaths) for job in Job.select()}
        assert found == {
            job_id: (job.state, job.attempts, job.deaths) for job_id, job in self.expected.items()
        }

    @invariant()
    def a_job_has_a_mail_to_send_when_and_only_when_it_is_over(self) -> None:
        final = {job_id for job_id, job in self.expected.items() if job.state in FINAL_STATES}
        found = sorted((entry.job_id, entry.channel) for entry in OutboxEntry.select())
        assert found == sorted((job_id, channel) for job_id in final for channel in Channel)
        assert {entry.state for entry in OutboxEntry.select()} <= {OutboxState.PENDING}

    @invariant()
    def due_jobs_are_those_that_can_be_claimed(self) -> None:
        due = {
            job_id
            for job_id, job in self.expected.items()
            if (job.state in (JobState.PENDING, JobState.RETRY) and job.is_due)
            or (job.state is JobState.STARTED and not job.is_leased)
        }
        assert set(transitions.due_jobs(1000)) == due


@pytest.mark.usefixtures("any_database")
def test_no_order_of_events_breaks_the_life_of_a_job() -> None:
    run_state_machine_as_test(
        Jobs, settings=settings(max_examples=25, stateful_step_count=40, deadline=None)
    )
