"""The doorbell with every supported broker, and with none."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

import pytest
from kombu.connection import Connection
from kombu.messaging import Consumer

from config.log_context import logged_with
from shared.broker.connection import consumer_connection
from shared.broker.doorbell import Doorbell
from shared.broker.errors import UnreadableMessage
from shared.broker.message import correlation_of, decode, encode
from shared.broker.queues import DEAD_QUEUE, EXCHANGE, QUEUE, declare_dead_queue, queue_depths
from tests.support.running import WAIT_SECONDS, wait_for


@pytest.fixture(params=["filesystem", pytest.param("rabbitmq", marks=pytest.mark.service)])
def broker_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "filesystem":
        return f"filesystem://{tmp_path / 'broker'}"
    return str(request.getfixturevalue("fresh_rabbitmq_url"))


def receive(connection: Connection, count: int, seconds: float = WAIT_SECONDS) -> list[UUID]:
    bodies: list[UUID] = []

    def keep(message: object) -> None:
        bodies.append(decode(message.decode()))  # type: ignore[attr-defined]
        message.ack()  # type: ignore[attr-defined]

    until = time.monotonic() + seconds
    with Consumer(connection.channel(), [QUEUE], on_message=keep, accept=["json"]):
        while len(bodies) < count and time.monotonic() < until:
            try:
                connection.drain_events(timeout=0.2)
            except TimeoutError:
                continue
    return bodies


def test_a_ring_before_any_worker_has_come_is_heard_later(broker_url: str) -> None:
    ids = [uuid4() for _ in range(3)]
    with closing(Doorbell(broker_url)) as doorbell:
        assert [doorbell.ring(job_id) for job_id in ids] == [True] * 3
    with consumer_connection(broker_url) as connection:
        assert sorted(receive(connection, 3)) == sorted(ids)


def test_the_queue_is_measured_and_missing_queues_are_omitted(broker_url: str) -> None:
    assert queue_depths(broker_url).get(QUEUE.name, 0) == 0
    with closing(Doorbell(broker_url)) as doorbell:
        for _ in range(3):
            assert doorbell.ring(uuid4())
    assert queue_depths(broker_url)[QUEUE.name] == 3
    with consumer_connection(broker_url) as connection:
        declare_dead_queue(connection)
    assert queue_depths(broker_url)[DEAD_QUEUE.name] == 0


def test_of_its_request_a_message_carries_only_the_id(broker_url: str) -> None:
    with closing(Doorbell(broker_url)) as doorbell, logged_with(request_id="0123456789abcdefghij"):
        assert doorbell.ring(uuid4())
    with consumer_connection(broker_url) as connection:
        message = QUEUE.bind(connection.channel()).get()
        assert message is not None
        assert correlation_of(message) == "0123456789abcdefghij"
        assert set(message.decode()) == {"version", "job_id"}
        message.properties["correlation_id"] = "x\nWARNING forged"
        assert correlation_of(message) is None


def test_two_embedded_brokers_of_one_process_do_not_mix(tmp_path: Path) -> None:
    for folder in ("one", "other"):
        job_id = uuid4()
        url = f"filesystem://{tmp_path / folder}"
        with closing(Doorbell(url)) as doorbell:
            assert doorbell.ring(job_id) is True
        with consumer_connection(url) as connection:
            assert receive(connection, 1) == [job_id]


@pytest.fixture
def deaf_server() -> Iterator[int]:
    """A server that accepts connections and never answers, like a hung broker."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def seconds_to_fail(broker_url: str) -> float:
    """Seconds until a doorbell fails. The median of three, because a machine may be busy once."""
    seconds = []
    for _ in range(3):
        started_at = time.monotonic()
        with closing(Doorbell(broker_url)) as doorbell:
            assert doorbell.ring(uuid4()) is False
        seconds.append(time.monotonic() - started_at)
    return median(seconds)


def test_a_hung_broker_costs_less_than_two_seconds(deaf_server: int) -> None:
    assert seconds_to_fail(f"amqp://guest:guest@127.0.0.1:{deaf_server}//") < 2


def test_a_broker_that_is_away_costs_less_than_two_seconds() -> None:
    assert seconds_to_fail("amqp://guest:guest@127.0.0.1:1//") < 2


@pytest.mark.service
def test_the_doorbell_recovers_when_the_queue_was_deleted(fresh_rabbitmq_url: str) -> None:
    with (
        closing(Doorbell(fresh_rabbitmq_url)) as doorbell,
        consumer_connection(fresh_rabbitmq_url) as connection,
    ):
        assert doorbell.ring(uuid4()) is True
        connection.default_channel.queue_delete(QUEUE.name)
        # The broker has no queue for this message. `mandatory` makes it report that.
        assert doorbell.ring(uuid4()) is False
        assert doorbell.ring(uuid4()) is True


@pytest.mark.service
@pytest.mark.parametrize("is_made_by_others", [False, True])
def test_a_rejected_message_goes_to_the_dead_letter_queue(
    fresh_rabbitmq_url: str, is_made_by_others: bool
) -> None:
    with consumer_connection(fresh_rabbitmq_url) as connection:
        channel = connection.channel()
        if is_made_by_others:
            channel.queue_declare(
                DEAD_QUEUE.name, durable=True, auto_delete=False, arguments={"x-max-length": 9}
            )
        declare_dead_queue(connection)
        dead = DEAD_QUEUE.bind(channel)
        QUEUE.bind(channel).declare()
        connection.Producer().publish({"x": 1}, exchange=EXCHANGE, routing_key=QUEUE.routing_key)
        with Consumer(channel, [QUEUE], on_message=lambda message: message.reject()):
            connection.drain_events(timeout=WAIT_SECONDS)
        wait_for(lambda: dead.get(no_ack=True), "no message in the dead-letter queue")


def test_a_message_holds_a_version_and_the_job_id_alone() -> None:
    job_id = uuid4()
    assert encode(job_id) == {"version": 1, "job_id": str(job_id)}
    assert decode(encode(job_id)) == job_id


@pytest.mark.parametrize(
    "body",
    [None, [], "x", 7, {}, {"version": 2, "job_id": str(uuid4())}, {"version": 1},
     {"version": 1, "job_id": "x"}, {"version": 1, "job_id": 7}, {"version": 1, "job_id": None}],
)  # fmt: skip
def test_any_other_body_is_unreadable(body: object) -> None:
    with pytest.raises(UnreadableMessage):
        decode(body)
