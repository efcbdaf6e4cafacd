"""Long polls with the Procfile's Gunicorn: limited in number, prompt, and no obstacle to a stop."""

import signal
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from api.jobs.long_poll import MAX_WAITING
from shared.database.connection import database
from shared.jobs import jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.jobs import StoredFile
from shared.roll_file.report import Report
from tests.conftest import opened
from tests.support.running import Answer, Service, running_service, wait_for

FILE = StoredFile(key="k", name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")
# Twice as many as the process has threads for.
CROWD = 16
# Enough for a busy machine. A long poll that nothing ends takes 30 s.
OTHERS_SECONDS = 5
HEARD_SECONDS = 5


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path) as running:
        yield running


@pytest.fixture
def claim(service: Service) -> Iterator[Claim]:
    """A running job without a worker."""
    with opened(service.environment["DATABASE_URL"]):
        yield jobs.create_started(
            FILE, uploaded_by="tests", dry_run=False, worker="w", lease_seconds=600
        )


def timed(service: Service, path: str) -> tuple[Answer, float]:
    began = time.monotonic()
    answer = service.get(path)
    return answer, time.monotonic() - began


def start_waiting(
    pool: ThreadPoolExecutor, service: Service, claim: Claim, seconds: int, number: int
) -> list["Future[tuple[Answer, float]]"]:
    path = f"/api/task-status/{claim.job_id}/?wait={seconds}"
    return [pool.submit(timed, service, path) for _ in range(number)]


def test_many_long_polls_leave_free_threads_and_end_promptly(
    service: Service, claim: Claim
) -> None:
    plain = f"/api/task-status/{claim.job_id}/"
    with ThreadPoolExecutor(CROWD) as pool:
        polls = start_waiting(pool, service, claim, 30, CROWD)
        wait_for(
            lambda: sum(poll.done() for poll in polls) == CROWD - MAX_WAITING,
            "nobody was turned away",
        )
        others = [timed(service, plain) for _ in range(10)]
        with database.atomic():
            transitions.finish(claim, Report(rows_read=1, created=1).to_dict(), [])
        finished_at = time.monotonic()
        answers = [poll.result() for poll in polls]
        heard_seconds = time.monotonic() - finished_at
    # A request without a free thread would wait for half a minute.
    assert max(seconds for _, seconds in others) < OTHERS_SECONDS
    assert all(answer.status == 200 for answer, _ in answers)
    turned_away = [answer for answer, _ in answers if answer.body["state"] == "STARTED"]
    assert len(turned_away) == CROWD - MAX_WAITING
    assert all(answer.headers["Retry-After"] == "1" for answer in turned_away)
    assert heard_seconds < HEARD_SECONDS


def test_a_process_that_stops_answers_those_who_wait(service: Service, claim: Claim) -> None:
    with ThreadPoolExecutor(MAX_WAITING + 1) as pool:
        polls = start_waiting(pool, service, claim, 20, MAX_WAITING + 1)
        wait_for(lambda: any(poll.done() for poll in polls), "nobody was turned away")
        service.signal("web", signal.SIGTERM)
        answers = [poll.result() for poll in polls]
    assert {answer.status for answer, _ in answers} == {200}
    assert max(seconds for _, seconds in answers) < 5
    assert service.wait_stopped("web", 15) == 0
