"""PostgreSQL ends the sessions of the service, as a restart or an operator does."""

import csv
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from benchmarks.rolls import write_csv
from shared.voters.roll import ROLL_LOCK_KEY
from tests.support.running import Answer, Service, running_service, wait_for

pytestmark = pytest.mark.service

SMALL = b"student_id,email\nsmall-1,small@x.edu\n"
REQUESTS = 60
SESSIONS = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
ALL_OF_THEM = f"SELECT pg_terminate_backend(pid) {SESSIONS}"
BUSY_WITH = f"SELECT 1 {SESSIONS} AND query LIKE %s"
BLOCKED = f"SELECT pid {SESSIONS} AND wait_event_type = 'Lock'"

Session = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def session(fresh_postgresql_url: str) -> Iterator[Session]:
    with psycopg.connect(fresh_postgresql_url, autocommit=True) as opened:
        yield opened


@pytest.fixture
def service(fresh_postgresql_url: str, tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path, DATABASE_URL=fresh_postgresql_url) as running:
        yield running


def end_sessions(session: Session) -> None:
    session.execute(ALL_OF_THEM)


def is_busy_with(session: Session, statement: str) -> bool:
    """Whether a session of the service has a last statement that begins with `statement`."""
    return session.execute(BUSY_WITH, (f"{statement}%",)).fetchone() is not None


@pytest.mark.parametrize("moment", ["COPY", "SELECT pg_advisory_xact_lock"])
def test_a_retry_after_a_lost_session_leaves_an_exact_roll(
    service: Service, session: Session, tmp_path: Path, moment: str
) -> None:
    service.imported(SMALL)
    roll = write_csv(tmp_path / "large.csv", 60_000)
    session.execute("SELECT pg_advisory_lock(%s)", (ROLL_LOCK_KEY,))
    task_id = service.upload(roll.read_bytes()).body["task_id"]
    wait_for(lambda: is_busy_with(session, moment), f"no {moment}")
    end_sessions(session)
    session.execute("SELECT pg_advisory_unlock(%s)", (ROLL_LOCK_KEY,))
    status = service.finished(task_id)
    assert (status["state"], status["attempts"]) == ("SUCCESS", 2)
    with roll.open(encoding="utf-8", newline="") as file:
        expected = {(row["student_id"], row["email"]) for row in csv.DictReader(file)}
    saved = session.execute("SELECT student_id, email FROM voter").fetchall()
    assert len(saved) == len(expected) + 1 == 60_001
    assert {*saved} - expected == {("small-1", "small@x.edu")}


def test_requests_that_lose_their_session_get_an_answer_or_503(
    service: Service, session: Session
) -> None:
    """Afterwards the service answers requests again."""
    task_id = service.imported(SMALL)["task_id"]
    is_over = threading.Event()

    def keep_ending() -> None:
        while not is_over.wait(0.005):
            end_sessions(session)

    def put_off(answer: Answer) -> bool:
        return (answer.status, answer.headers["Retry-After"]) == (503, "5")

    ending = threading.Thread(target=keep_ending)
    ending.start()
    try:
        for _ in range(REQUESTS):
            uploaded = service.upload(SMALL)
            assert uploaded.status == 202 or put_off(uploaded), uploaded
            for path in ("/api/voters/", f"/api/task-status/{task_id}/"):
                answer = service.get(path)
                assert answer.status == 200 or put_off(answer), answer
    finally:
        is_over.set()
        ending.join()
    wait_for(lambda: service.get("/api/voters/").status == 200, "no recovery")


def test_a_session_lost_in_a_statement_gives_503_and_then_200(
    service: Service, session: Session, fresh_postgresql_url: str
) -> None:
    service.imported(SMALL)
    answers: list[Answer] = []
    with psycopg.connect(fresh_postgresql_url) as locker:
        locker.execute("LOCK TABLE voter")
        asking = threading.Thread(target=lambda: answers.append(service.get("/api/voters/")))
        asking.start()
        (pid,) = wait_for(lambda: session.execute(BLOCKED).fetchone(), "no request waits")
        session.execute("SELECT pg_terminate_backend(%s)", (pid,))
        asking.join()
    assert [(answer.status, answer.headers["Retry-After"]) for answer in answers] == [(503, "5")]
    assert service.get("/api/voters/").status == 200
