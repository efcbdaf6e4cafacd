"""The template process: how job processes are forked, end, and are lost."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from errno import ENOSYS
from io import BytesIO
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from config.settings import Settings, load_settings
from consumer import process_source
from consumer import template as template_module
from consumer.job_processes import JobProcesses
from consumer.template import ForkedProcess, Template
from shared.database.connection import database
from shared.importing.submission import keep
from shared.jobs import jobs
from shared.jobs.models import Job
from shared.jobs.states import JobState
from shared.storage.file_store import FileStore
from tests.support.running import children, is_running, wait_for


@pytest.fixture
def settings(tmp_path: Path, any_database_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("DEBUG", "1")
    return replace(
        load_settings(read_dotenv=False),
        database_url=any_database_url,
        upload_store=f"file:{tmp_path / 'uploads'}",
        consumer_concurrency=4,
    )


@pytest.fixture
def template(settings: Settings) -> Iterator[Template]:
    template = Template(settings)

    def is_ready() -> bool:
        template.receive()
        return template.is_ready

    wait_for(is_ready, "the template does not start")
    yield template
    template.kill()


@pytest.fixture
def job_processes(settings: Settings, any_database: object) -> Iterator[JobProcesses]:
    processes = JobProcesses(settings, "w")
    yield processes
    processes.put_back()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "uploads"


def new_job(folder: Path, number: int) -> UUID:
    content = f"student_id,email\n{number},a{number}@x.edu\n".encode()
    stored = keep(BytesIO(content), "roll.csv", store=FileStore(folder), max_bytes=1_000)
    return jobs.create(stored, uploaded_by="tests")


def forked(template: Template) -> ForkedProcess:
    process = template.request()
    template.wait_started(process)
    return process


def test_a_process_without_a_job_ends_with_its_pipe(template: Template) -> None:
    process = forked(template)
    assert process.poll() is None
    process.close()
    assert process.wait(60) == 0


def test_a_process_closed_before_it_starts_leaves_nothing(template: Template) -> None:
    forked(template).close()
    before = open_descriptors()
    for _ in range(5):
        template.request().close()

    def is_idle() -> bool:
        template.receive()
        return template.is_idle

    wait_for(is_idle, "a process goes on")
    assert open_descriptors() == before


def open_descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_is_the_status(template: Template, number: signal.Signals) -> None:
    process = forked(template)
    wait_for(lambda: process_name(process.pid) == "job waiting", "it does not wait")
    if number == signal.SIGTERM:
        process.terminate()
    else:
        process.kill()
    assert process.wait(60) == -number
    process.close()


def waiting_processes(template: Template) -> list[int]:
    return [pid for pid in children(template.pid) if process_name(pid) == "job waiting"]


def process_name(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()


def test_a_template_has_one_thread_and_only_its_socket(template: Template) -> None:
    process = forked(template)
    process.close()
    process.wait(60)
    pid = template.pid
    assert len([*Path(f"/proc/{pid}/task").iterdir()]) == 1
    links = [str(path.readlink()) for path in Path(f"/proc/{pid}/fd").iterdir()]
    assert sum(link.startswith("socket:") for link in links) == 1
    assert not [link for link in links if link.endswith((".db", ".csv"))]


def test_the_end_of_a_template_ends_its_processes(template: Template) -> None:
    process = forked(template)
    os.kill(template.pid, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    wait_for(lambda: not is_running(process.pid), "the forked process goes on")
    process.close()


def test_jobs_are_done_by_forked_processes(job_processes: JobProcesses, folder: Path) -> None:
    make_ready(job_processes)
    for number in range(3):
        job = do_job(job_processes, folder, number)
        assert (job.state, job.attempts) == (JobState.SUCCESS, 1)
    # One for each job, and one ahead.
    assert job_processes.templates[0].forks == 4


def test_a_process_that_ended_while_it_waited_is_replaced(
    job_processes: JobProcesses, folder: Path
) -> None:
    make_ready(job_processes)
    [template] = job_processes.templates
    [waiting] = wait_for(lambda: waiting_processes(template), "none waits")
    os.kill(waiting, signal.SIGKILL)
    wait_for(lambda: not is_running(waiting), "it goes on")
    assert do_job(job_processes, folder, 1).state == JobState.SUCCESS
    assert job_processes.templates == [template]


def test_a_lost_template_is_replaced_and_its_job_done_again(
    job_processes: JobProcesses, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_source, "RESTART_SECONDS", 0.1)
    make_ready(job_processes)
    [lost] = job_processes.templates
    job_processes.start(new_job(folder, 1))
    os.kill(lost.pid, signal.SIGKILL)
    tend_until(job_processes, lambda: job_processes.room == 4)
    job = Job.get()
    assert job.state in (JobState.RETRY, JobState.SUCCESS)
    make_ready(job_processes)
    assert lost not in job_processes.templates
    assert do_job(job_processes, folder, 2).state == JobState.SUCCESS


def test_a_hung_template_delays_a_job_and_costs_it_no_attempt(
    job_processes: JobProcesses, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(template_module, "ANSWER_SECONDS", 0.5)
    make_ready(job_processes)
    wait_for(lambda: waiting_processes(job_processes.templates[0]), "none waits")
    os.kill(job_processes.templates[0].pid, signal.SIGSTOP)
    for number in range(2):
        job = do_job(job_processes, folder, number)
        assert job.attempts - job.deaths == 1, job.error_message


def test_a_template_that_forked_often_enough_is_replaced(
    job_processes: JobProcesses, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_source, "MAX_FORKS", 3)
    make_ready(job_processes)
    [first] = job_processes.templates
    for number in range(3):
        assert do_job(job_processes, folder, number).state == JobState.SUCCESS
    tend_until(job_processes, lambda: first.is_lost)
    make_ready(job_processes)
    assert do_job(job_processes, folder, 4).attempts == 1


def test_without_a_template_a_job_process_is_a_new_python(
    settings: Settings, any_database: object, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(pid: int) -> int:
        raise OSError(ENOSYS, "not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    job_processes = JobProcesses(settings, "w")
    job_processes.tend()
    assert job_processes.templates == []
    assert do_job(job_processes, folder, 1).state == JobState.SUCCESS


@pytest.mark.service
@pytest.mark.parametrize("any_database_url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_while_it_waited_is_replaced(
    job_processes: JobProcesses, settings: Settings, folder: Path
) -> None:
    make_ready(job_processes)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        question = (
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid NOT IN (pg_backend_pid(), %s)"
        )
        [[own]] = database.execute_sql("SELECT pg_backend_pid()")
        [[waiting]] = wait_for(lambda: connection.execute(question, [own]).fetchall(), "no session")
        connection.execute("SELECT pg_terminate_backend(%s)", [waiting])
    job = do_job(job_processes, folder, 1)
    assert (job.state, job.attempts) == (JobState.SUCCESS, 1)


def make_ready(job_processes: JobProcesses) -> None:
    tend_until(
        job_processes,
        lambda: any(template.is_ready for template in job_processes.templates),
    )


def do_job(job_processes: JobProcesses, folder: Path, number: int) -> Job:
    """Start a new job, and wait until its process has ended."""
    job_id = new_job(folder, number)
    job_processes.start(job_id)
    tend_until(job_processes, lambda: job_processes.room == 4)
    job: Job = Job.get_by_id(job_id)
    return job


def tend_until(job_processes: JobProcesses, is_true: Callable[[], bool]) -> None:
    def step() -> bool:
        job_processes.tend()
        return is_true()

    wait_for(step, "it did not happen", every=0.02)
