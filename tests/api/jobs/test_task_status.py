"""The status document in every state of a job."""

import re
import time
from typing import Any
from uuid import UUID, uuid4

import pytest

from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import claims, transitions
from shared.jobs.claims import Claim
from shared.jobs.models import Job
from shared.jobs.states import JobCode, JobState, Phase
from shared.jobs.status_document import NOBODY
from shared.roll_file.report import Report
from tests.support.api_client import ROLL, ApiClient

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
KEYS = [
    "task_id",
    "state",
    "status",
    "result",
    "dry_run",
    "attempts",
    "created_at",
    "started_at",
    "finished_at",
    "progress",
    "file",
    "report",
    "error",
]


@pytest.fixture
def job_id(client: ApiClient) -> UUID:
    return UUID(client.upload(ROLL).get_json()["task_id"])


@pytest.fixture
def claim(job_id: UUID) -> Claim:
    taken = transitions.claim(job_id, worker="test", lease_seconds=60, max_attempts=3)
    assert taken is not None
    return taken


def status(client: ApiClient, job_id: UUID) -> Any:
    answer = client.get(f"/api/task-status/{job_id}/")
    assert answer.status_code == 200
    return answer.get_json()


def finish(claim: Claim) -> None:
    with database.atomic():
        transitions.finish(claim, Report(rows_read=1000, created=998, rejected=2).to_dict(), [])


def test_a_waiting_job_has_no_outcome_and_no_start(client: ApiClient, job_id: UUID) -> None:
    shown = status(client, job_id)
    assert list(shown) == KEYS
    assert list(shown["file"]) == [
        "name",
        "size_bytes",
        "sha256",
        "format",
        "encoding",
        "delimiter",
        "sheet",
    ]
    assert RFC3339.fullmatch(shown["created_at"])
    assert shown["status"] == f"Waiting for a worker. {NOBODY}"
    assert shown["progress"] == {"phase": "queued", "rows_read": 0, "percent": None}
    for name in ("result", "started_at", "finished_at", "report", "error"):
        assert shown[name] is None


def test_a_running_job_shows_its_progress(client: ApiClient, claim: Claim) -> None:
    claims.note_progress(claim, Phase.READING, 12_000, 41.55)
    shown = status(client, claim.job_id)
    assert shown["state"] == "STARTED"
    assert shown["status"] == "Reading the file: 12,000 rows so far."
    assert shown["progress"] == {"phase": "reading", "rows_read": 12_000, "percent": 41.5}
    assert shown["result"] is None
    claims.note_progress(claim, Phase.APPLYING, 12_000, None)
    assert status(client, claim.job_id)["status"] == "Applying 12,000 rows."


def test_an_interrupted_job_waits_for_its_next_attempt(client: ApiClient, claim: Claim) -> None:
    transitions.release(claim, death=None, max_attempts=3)
    shown = status(client, claim.job_id)
    assert (shown["state"], shown["result"]) == ("RETRY", None)


def test_a_success_shows_its_report_and_its_sentence(client: ApiClient, claim: Claim) -> None:
    finish(claim)
    shown = status(client, claim.job_id)
    assert shown["state"] == "SUCCESS"
    assert shown["result"].startswith(
        "File processing completed successfully: 998 of 1,000 rows saved"
    )
    assert shown["report"] == Report(rows_read=1000, created=998, rejected=2).to_dict()
    assert shown["progress"] == {"phase": "done", "rows_read": 1000, "percent": 100.0}
    assert RFC3339.fullmatch(shown["finished_at"])


def test_a_failure_is_never_a_success_with_an_error_text(client: ApiClient, claim: Claim) -> None:
    transitions.fail(claim, JobCode.FILE_LOST, "The file is gone.")
    shown = status(client, claim.job_id)
    assert shown["state"] == "FAILURE"
    assert shown["result"] == "File processing failed: The file is gone."
    assert shown["error"] == {"code": "FILE_LOST", "message": "The file is gone."}
    assert shown["report"] is None


def test_a_cancelled_job_says_so(client: ApiClient, job_id: UUID) -> None:
    Job.update(state=JobState.REVOKED, finished_at=clock()).execute()
    assert status(client, job_id)["result"] == "File processing was cancelled."


@pytest.mark.parametrize(
    "task_id", [str(UUID(int=1)), "1", "not-a-uuid", "%00", "..", "' OR 1=1 --"]
)
def test_an_unknown_task_is_not_found(client: ApiClient, task_id: str) -> None:
    answer = client.get(f"/api/task-status/{task_id}/")
    assert answer.status_code == 404
    sentence = answer.get_json()["message"]
    assert sentence.startswith(("There is no job", "Nothing is at this URL"))


def test_an_unfinished_status_says_when_to_ask_again(client: ApiClient, claim: Claim) -> None:
    path = f"/api/task-status/{claim.job_id}/"
    assert client.get(path).headers["Retry-After"] == "1"
    finish(claim)
    assert "Retry-After" not in client.get(path).headers


def test_a_status_that_is_known_already_is_not_sent_again(client: ApiClient, claim: Claim) -> None:
    path = f"/api/task-status/{claim.job_id}/"
    tag = client.get(path).headers["ETag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(path, headers={"If-None-Match": known})
        assert again.status_code == 304, known
        assert again.get_data() == b""
        assert again.headers["ETag"] == tag
        assert again.headers["Retry-After"] == "1"
    claims.note_rows_read(claim, 12_000)
    changed = client.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag


def test_a_wait_ends_at_once_when_the_state_is_final(client: ApiClient, claim: Claim) -> None:
    finish(claim)
    began = time.monotonic()
    answer = client.get(f"/api/task-status/{claim.job_id}/?wait=30")
    assert answer.get_json()["state"] == "SUCCESS"
    assert time.monotonic() - began < 5


def test_a_wait_ends_with_what_there_is(client: ApiClient, claim: Claim) -> None:
    path = f"/api/task-status/{claim.job_id}/?wait=1"
    began = time.monotonic()
    shown = client.get(path)
    assert time.monotonic() - began >= 1
    assert shown.get_json()["state"] == "STARTED"
    known = client.get(path, headers={"If-None-Match": shown.headers["ETag"]})
    assert known.status_code == 304


@pytest.mark.parametrize("wait", ["31", "-1", "x", "1.5", ""])
def test_a_wait_that_cannot_be_is_refused(client: ApiClient, job_id: UUID, wait: str) -> None:
    answer = client.get(f"/api/task-status/{job_id}/?wait={wait}")
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]["query"]) == ["wait"]


def test_no_one_waits_for_a_task_that_does_not_exist(client: ApiClient) -> None:
    began = time.monotonic()
    assert client.get(f"/api/task-status/{uuid4()}/?wait=30").status_code == 404
    assert time.monotonic() - began < 5
