"""What the worker does if a job process cannot start its work."""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config.settings import Settings, load_settings
from consumer.job_processes import JobProcesses
from shared.database.sql import clock
from shared.jobs import jobs, transitions
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job
from shared.jobs.states import JobCode, JobState
from tests.support.running import wait_for
from tests.support.services import free_port

pytestmark = pytest.mark.usefixtures("any_database")

FILE = StoredFile("0" * 32, "roll.csv", 1, "0" * 64, "csv")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("UPLOAD_STORE", f"file:{tmp_path}")
    return replace(load_settings(read_dotenv=False), max_attempts=1)


@pytest.fixture
def job_processes(settings: Settings) -> Iterator[JobProcesses]:
    opened = JobProcesses(settings, "w")
    yield opened
    opened.put_back()


def only_job() -> Job:
    (job,) = Job.select()
    return job


@pytest.fixture
def processes_without_database(settings: Settings) -> Iterator[JobProcesses]:
    nowhere = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    processes = JobProcesses(replace(settings, database_url=nowhere), "w")
    yield processes
    processes.put_back()


def test_a_job_process_without_a_database_is_no_crash(
    processes_without_database: JobProcesses,
) -> None:
    job_processes = processes_without_database
    job_processes.start(jobs.create(FILE, uploaded_by="tests"))

    def is_over() -> bool:
        job_processes.tend()
        return job_processes.has_room

    wait_for(is_over, "the job process does not end")
    job = only_job()
    assert (job.state, job.error_code) == (JobState.FAILURE, JobCode.SERVICE_UNAVAILABLE)
    assert "was unavailable. The roll is unchanged" in str(job.error_message)


def test_a_failed_process_start_delays_a_job_but_counts_no_death(
    job_processes: JobProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = jobs.create(FILE, uploaded_by="tests")
    with monkeypatch.context() as without:
        without.setattr(sys, "executable", "/nowhere/python")
        job_processes.start(job_id)
    job = only_job()
    assert (job.state, job.deaths, job_processes.has_room) == (JobState.RETRY, 0, True)
    assert transitions.due_jobs(1) == []
    Job.update(not_before=clock(-1)).execute()
    job_processes.start(job_id)
    assert (only_job().state, job_processes.has_room) == (JobState.STARTED, False)
