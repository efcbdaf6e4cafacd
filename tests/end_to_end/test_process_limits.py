"""A file that exceeds a process limit ends its own job immediately, and nothing else."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.rolls import write_csv, write_ods
from tests.support.running import Service, running_service, text_of, wait_for

SMALL = b"student_id,email\nafter-1,after@x.edu\n"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    settings = {"JOB_MEMORY_LIMIT_MB": "128", "FAST_SHEET_BYTES": str(1 << 30)}
    with running_service(tmp_path, **settings) as running:
        yield running


def assert_failed_at_once(service: Service, task_id: str, code: str) -> None:
    status = service.finished(task_id)
    assert (status["state"], status["attempts"]) == ("FAILURE", 1)
    assert status["error"]["code"] == code
    assert code in text_of(service.inbox.mail_for(task_id))
    assert service.voters() == {}
    assert service.imported(SMALL)["state"] == "SUCCESS"


def test_a_workbook_that_takes_too_much_memory_is_too_large(
    service: Service, tmp_path: Path
) -> None:
    roll = write_ods(tmp_path / "large.ods", 100_000)
    task_id = service.upload(roll.read_bytes()).body["task_id"]
    assert_failed_at_once(service, task_id, "WORKBOOK_TOO_LARGE")
    assert "more memory" in service.status(task_id)["error"]["message"]


def test_an_import_that_burns_its_processor_time_is_stopped(
    service: Service, tmp_path: Path
) -> None:
    roll = write_csv(tmp_path / "large.csv", 300_000)
    task_id = service.upload(roll.read_bytes()).body["task_id"]
    (job_process,) = wait_for(service.children, "no job process runs")
    os.kill(job_process, signal.SIGXCPU)
    assert_failed_at_once(service, task_id, "TIME_LIMIT")


def test_an_import_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with running_service(tmp_path, JOB_TIME_LIMIT_SECONDS="5") as service:
        roll = write_csv(tmp_path / "large.csv", 100_000)
        task_id = service.upload(roll.read_bytes()).body["task_id"]
        (job_process,) = wait_for(service.children, "no job process runs")
        # Paused, so the job exceeds its time limit on a machine of any speed.
        os.kill(job_process, signal.SIGSTOP)
        status = service.finished(task_id)
        assert (status["state"], status["error"]["code"]) == ("FAILURE", "TIME_LIMIT")
        assert service.voters() == {}
        assert service.imported(SMALL)["state"] == "SUCCESS"
