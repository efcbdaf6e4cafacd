"""Jobs that wait while the broker loses all of their messages."""

import signal
from pathlib import Path

import pytest

from shared.broker.connection import consumer_connection
from shared.broker.queues import QUEUE
from tests.support.running import running_service

JOBS = 6
# If a poll found only one job, it would find one each minute.
POLL_SECONDS = 60
HEADER = "student_id,email\n"


@pytest.mark.service
def test_every_job_runs_although_the_queue_was_purged(
    tmp_path: Path, fresh_postgresql_url: str, fresh_rabbitmq_url: str
) -> None:
    settings = {"DATABASE_URL": fresh_postgresql_url, "BROKER_URL": fresh_rabbitmq_url}
    with running_service(tmp_path, **settings, POLL_SECONDS=str(POLL_SECONDS)) as service:
        service.signal("worker", signal.SIGTERM)
        service.wait_stopped("worker", 10)
        tasks = [
            service.upload(f"{HEADER}lost-{number},lost{number}@x.edu\n".encode()).body["task_id"]
            for number in range(JOBS)
        ]
        with consumer_connection(fresh_rabbitmq_url) as connection:
            assert connection.channel().queue_purge(QUEUE.name) == JOBS
        service.start("worker")
        ended = [service.finished(task, 40) for task in tasks]
        assert {(job["state"], job["attempts"]) for job in ended} == {("SUCCESS", 1)}
        assert [job["report"]["created"] for job in ended] == [1] * JOBS
        assert set(service.voters()) == {f"lost-{number}" for number in range(JOBS)}
