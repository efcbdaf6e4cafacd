"""The job process as the worker starts it."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from config.settings import PROJECT_ROOT
from shared.database.schema import migrate
from shared.importing.limits import OUT_OF_REACH
from shared.importing.submission import keep
from shared.jobs import jobs
from shared.jobs.states import JobState
from shared.storage.file_store import FileStore
from shared.voters.roll import ROLL_LOCK_KEY
from tests.conftest import opened
from tests.support.services import free_port

ROOT = PROJECT_ROOT


def outcome(job_id: UUID, folder: Path, **settings: str) -> tuple[int, str]:
    """Exit status and log of a job process for the first attempt at a job."""
    environment = {**os.environ, "DEBUG": "1", "UPLOAD_STORE": f"file:{folder}", **settings}
    with subprocess.Popen(
        [sys.executable, "-m", "consumer.job_process", str(job_id), "1"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as job_process:
        assert job_process.stderr is not None
        log = job_process.stderr.read()
    return job_process.returncode, log


def test_a_job_process_without_a_database_logs_no_traceback(tmp_path: Path) -> None:
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    status, log = outcome(uuid4(), tmp_path, DATABASE_URL=url)
    assert status == OUT_OF_REACH
    assert "outcome not written" in log
    assert "Traceback" not in log


@pytest.mark.service
@pytest.mark.parametrize("server_limit", ["", "?options=-c%20statement_timeout%3D60s"])
def test_a_job_process_with_a_silent_connection_returns_its_job(
    postgresql_url: str, tmp_path: Path, server_limit: str
) -> None:
    """The server's own limit ends the statement. If the server is silent, the job process does."""
    store = FileStore(tmp_path)
    with opened(postgresql_url), psycopg.connect(postgresql_url) as other:
        migrate()
        with (tmp_path / "roll.csv").open("w+b") as upload:
            upload.write(b"student_id,email\nhorse-1,horse@x.edu\n")
            upload.seek(0)
            file = keep(upload, "roll.csv", store=store, max_bytes=1000)
        claim = jobs.create_started(
            file, uploaded_by="tests", dry_run=False, worker="tests", lease_seconds=60
        )
        other.execute("SELECT pg_advisory_xact_lock(%s)", (ROLL_LOCK_KEY,))
        url = f"{postgresql_url}{server_limit}"
        status, log = outcome(claim.job_id, tmp_path, DATABASE_URL=url, JOB_TIME_LIMIT_SECONDS="4")
        job = jobs.find(claim.job_id)
    assert (status, job and job.state) == (0, JobState.RETRY), log
    assert "given back" in log
