"""The statistics over all jobs."""

import pytest

from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import jobs, outbox, transitions
from shared.jobs.claims import Claim
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job
from shared.jobs.states import Channel, JobCode
from shared.jobs.statistics import job_figures
from shared.roll_file.report import Report

pytestmark = pytest.mark.usefixtures("any_database")


def started(size_bytes: int) -> Claim:
    file = StoredFile("key", "roll.csv", size_bytes, "sha", "csv")
    job_id = jobs.create(file, uploaded_by="tests")
    claim = transitions.claim(job_id, worker="w", lease_seconds=9, max_attempts=3)
    assert claim is not None
    return claim


def test_without_jobs_all_is_nothing() -> None:
    figures = job_figures()
    assert (figures.states.total(), figures.rows_read, figures.waiting_seconds) == (0, 0, 0.0)


def test_states_rows_and_durations_are_those_of_the_jobs() -> None:
    saved, failed, interrupted = started(100), started(10), started(1)
    with database.atomic():
        transitions.finish(saved, Report(rows_read=7, created=7).to_dict(), [])
    transitions.fail(failed, JobCode.FILE_LOST, "Lost.")
    Job.update(started_at=clock(-20)).where(Job.id == saved.job_id).execute()
    Job.update(started_at=clock(-2)).where(Job.id == failed.job_id).execute()
    transitions.release(interrupted, death=JobCode.WORKER_CRASHED, max_attempts=3)
    Job.update(not_before=clock(-90)).where(Job.id == interrupted.job_id).execute()

    figures = job_figures()
    assert figures.states == {"SUCCESS": 1, "FAILURE": 1, "RETRY": 1}
    call = outbox.claim(Channel.WEBHOOK)
    assert call is not None
    outbox.note_nobody(call, "No receiver.")
    of_channels = job_figures().outbox
    assert of_channels[Channel.MAIL] == {"pending": 2, "none": 1}
    assert of_channels[Channel.WEBHOOK] == {"pending": 1, "none": 2}
    assert (figures.size_bytes, figures.rows_read, figures.deaths) == (111, 7, 1)
    assert figures.attempts == 2
    assert 21 < figures.attempt_seconds < 30
    assert [figures.attempts_within[seconds] for seconds in (1.0, 5.0, 15.0, 60.0)] == [0, 1, 1, 2]
    assert 89 < figures.waiting_seconds < 100
