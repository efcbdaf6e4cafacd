"""A broker that disconnects while an ack is due, and returns. No job runs twice."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psycopg
import pytest
from kombu.entity import Queue

from shared.broker.connection import consumer_connection
from shared.broker.queues import QUEUE
from tests.support.relay import Relay, relay_to
from tests.support.running import Service, running_service, wait_for

HEADER = "student_id,email\n"
BLOCKED = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE%'"
# The promised maximum after the broker's return. The test takes the median of several returns,
# because a busy machine may delay one of them.
RETURN_SECONDS = 3
RETURNS = 3


@pytest.fixture
def queue(fresh_rabbitmq_url: str) -> Iterator[Queue]:
    """The queue over its own connection, which remains when the worker's breaks."""
    with consumer_connection(fresh_rabbitmq_url) as connection:
        bound = QUEUE.bind(connection.channel())
        bound.declare()
        yield bound


def state(queue: Queue) -> tuple[int, int]:
    """The numbers of waiting messages and of consumers."""
    declared = queue.queue_declare(passive=True)
    return declared.message_count, declared.consumer_count


def seconds_until_consumed(relay: Relay, queue: Queue) -> float:
    """Open the relay, and return the seconds until a consumer is back and the queue is empty."""
    relay.open()
    returned_at = time.monotonic()
    wait_for(lambda: state(queue) == (0, 1), "no consumer came back")
    return time.monotonic() - returned_at


@contextmanager
def claim_held_up(service: Service, database_url: str) -> Iterator[str]:
    """A job whose message the worker has received but cannot acknowledge, as its row is locked."""
    service.signal("worker", signal.SIGSTOP)
    answer = service.upload(f"{HEADER}due-1,due@x.edu\n".encode())
    task_id = str(answer.body["task_id"])
    with (
        psycopg.connect(database_url, autocommit=True) as watcher,
        psycopg.connect(database_url) as locker,
    ):
        locker.execute("SELECT 1 FROM job WHERE id = %s FOR UPDATE", (task_id,))
        service.signal("worker", signal.SIGCONT)
        wait_for(lambda: watcher.execute(BLOCKED).fetchone(), "the worker does not claim the job")
        yield task_id


@pytest.mark.service
def test_a_worker_reconnects_to_a_broker_lost_before_an_ack(
    tmp_path: Path, fresh_postgresql_url: str, fresh_rabbitmq_url: str, queue: Queue
) -> None:
    with relay_to(fresh_rabbitmq_url) as relay:
        settings = {
            "DATABASE_URL": fresh_postgresql_url,
            "BROKER_URL": relay.url,
            # Only a message can start a job in time, so the test notices a deaf worker.
            "POLL_SECONDS": "60",
        }
        with running_service(tmp_path, **settings) as service:
            service.imported(f"{HEADER}before-1,before@x.edu\n".encode())
            # The poll may find a job before the worker consumes. Its message then arrives later.
            wait_for(lambda: state(queue) == (0, 1), "the worker does not listen")
            with claim_held_up(service, fresh_postgresql_url) as task_id:
                assert state(queue) == (0, 1)
                relay.close()
            status = service.finished(task_id)
            assert (status["state"], status["attempts"]) == ("SUCCESS", 1)
            # The message with the lost ack is in the queue again and waits for a consumer.
            wait_for(lambda: state(queue) == (1, 0), "the ack was not lost")
            seconds = [seconds_until_consumed(relay, queue)]
            while len(seconds) < RETURNS:
                relay.close()
                # The message is in the queue again if its ack had not arrived yet.
                wait_for(lambda: state(queue)[1] == 0, "the consumer is still there")
                seconds.append(seconds_until_consumed(relay, queue))
            assert median(seconds) < RETURN_SECONDS, seconds
            after = service.imported(f"{HEADER}after-1,after@x.edu\n".encode(), seconds=30)
            assert (after["state"], after["attempts"]) == ("SUCCESS", 1)
            assert service.status(task_id) == status
            assert set(service.voters()) == {"before-1", "due-1", "after-1"}
