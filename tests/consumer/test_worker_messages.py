"""What a worker does with a message if the broker or the database fails at that moment."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from kombu.connection import Connection
from kombu.messaging import Consumer

from config.settings import load_settings
from consumer.worker import Worker
from shared.broker.connection import consumer_connection
from shared.broker.message import encode
from shared.broker.queues import EXCHANGE, QUEUE, declare_dead_queue
from shared.database.schema import migrate
from tests.conftest import opened
from tests.support.running import WAIT_SECONDS, wait_for
from tests.support.services import free_port

pytestmark = pytest.mark.service


@pytest.fixture
def worker(fresh_rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch) -> Worker:
    monkeypatch.setenv("DEBUG", "1")
    return Worker(replace(load_settings(read_dotenv=False), broker_url=fresh_rabbitmq_url))


@pytest.fixture
def connection(fresh_rabbitmq_url: str) -> Iterator[Connection]:
    with consumer_connection(fresh_rabbitmq_url) as made:
        yield made


def message_from(connection: Connection) -> Any:
    """A message for an unknown job."""
    declare_dead_queue(connection)
    QUEUE.bind(connection.default_channel).declare()
    connection.Producer().publish(encode(uuid4()), exchange=EXCHANGE, routing_key="import")
    messages: list[Any] = []
    Consumer(connection.channel(), [QUEUE], on_message=messages.append).consume()
    connection.drain_events(timeout=WAIT_SECONDS)
    return messages[0]


def is_back(broker_url: str) -> bool:
    """Wait until the message is in the queue again."""
    with consumer_connection(broker_url) as connection:
        queue = QUEUE.bind(connection.default_channel)
        wait_for(lambda: queue.get(no_ack=True), "the message does not come back")
    return True


def test_a_message_that_cannot_be_dead_lettered_is_redelivered(
    worker: Worker,
    connection: Connection,
    fresh_rabbitmq_url: str,
    sqlite_url: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    message = message_from(connection)
    connection.collect()
    with opened(sqlite_url):
        migrate()
        with pytest.raises(connection.recoverable_connection_errors):
            worker._on_message(message)
    assert "worker met an internal error" not in caplog.messages
    assert is_back(fresh_rabbitmq_url)


def test_a_message_whose_job_cannot_be_read_is_left_to_the_poll(
    worker: Worker, connection: Connection
) -> None:
    message = message_from(connection)
    with opened(f"postgresql://nobody@127.0.0.1:{free_port()}/none"):
        worker._on_message(message)
    assert message._state == "ACK"
