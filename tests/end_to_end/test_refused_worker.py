"""A broker that is available but refuses the service as it is configured."""

import json
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from kombu.entity import Queue

from consumer.worker import REFUSED_SECONDS
from shared.broker.connection import consumer_connection
from shared.broker.queues import QUEUE
from tests.support.running import running_service, wait_for

pytestmark = pytest.mark.service

SMALL = b"student_id,email\nrefused-1,refused@x.edu\n"
REFUSES = "broker refuses this worker, which goes on polling"


def refusals(log: str) -> list[str]:
    lines = (json.loads(line) for line in log.splitlines() if line.startswith("{"))
    return [line["reason"] for line in lines if line["event"] == REFUSES]


def test_a_mismatched_queue_is_logged_rarely_and_jobs_still_run(
    tmp_path: Path, fresh_rabbitmq_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with consumer_connection(fresh_rabbitmq_url) as connection:
        channel = connection.channel()
        Queue(QUEUE.name, durable=True).bind(channel).declare()
        began = time.monotonic()
        with running_service(tmp_path, BROKER_URL=fresh_rabbitmq_url) as service:
            for _ in range(3):
                assert service.imported(SMALL)["state"] == "SUCCESS"
            log = capfd.readouterr().err
            reason, *others = refusals(log)
            assert "PreconditionFailed" in reason
            assert len(others) <= (time.monotonic() - began) / REFUSED_SECONDS
            assert "delete it" in reason
            assert "Traceback" not in log
            channel.queue_delete(QUEUE.name)
            queue = QUEUE.bind(channel)
            service.imported(SMALL)
            wait_for(
                lambda: queue.queue_declare(passive=True).consumer_count == 1,
                "the worker does not consume from the new queue",
            )


def test_a_wrong_password_is_logged_without_a_traceback(
    tmp_path: Path, fresh_rabbitmq_url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    broker = urlsplit(fresh_rabbitmq_url)
    port = broker.port or 5672
    wrong = broker._replace(netloc=f"guest:wrong@{broker.hostname}:{port}").geturl()
    with running_service(tmp_path, BROKER_URL=wrong) as service:
        assert service.imported(SMALL)["state"] == "SUCCESS"
    log = capfd.readouterr().err
    assert "BROKER_URL" in refusals(log)[0]
    assert "Traceback" not in log
