"""The doorbell: a message that tells the workers of a job. The job row is the work itself.

A message carries a version and the job's id, nothing else; its correlation id is that of the
request that rang, for the log. Losing one costs a poll interval, receiving one twice costs a query.
"""

import logging
import threading
from concurrent.futures import Future
from contextlib import suppress
from typing import Any
from uuid import UUID

from kombu.connection import Connection
from kombu.entity import Exchange, Queue
from kombu.pools import ProducerPool
from kombu.transport import filesystem, virtual

from config.log_context import is_request_id, request_id
from config.settings import PROJECT_ROOT

logger = logging.getLogger(__name__)

MESSAGE_VERSION = 1
HEARTBEAT_SECONDS = 10
# A worker that waits for a hung broker does not look into the jobs table.
CONSUMER_CONNECT_SECONDS = 2.0
# A hung broker keeps nobody waiting for the answer to a request, such as to stop consuming.
READ_SECONDS = 1.0
# An upload answers within two seconds whatever the broker does: at most two attempts to connect
# and to have the message confirmed, and an end to it all that also covers the looking up of its
# name, which no timeout of a library does.
RING_SECONDS = 1.2
PUBLISHER_CONNECT_SECONDS = 0.4
CONFIRM_SECONDS = 0.5
RETRY_POLICY = {"max_retries": 1, "interval_start": 0.05, "interval_max": 0.05}
MAX_PUBLISHERS = 8
FILESYSTEM_POLL_SECONDS = 0.2
DELIVERY_LIMIT = 20

DEAD_EXCHANGE = Exchange("voter-imports.dead", type="direct", durable=True)
# A classic queue, although the other is a quorum queue: no job is lost with what lies in here.
DEAD_QUEUE = Queue("voter-imports.dead", DEAD_EXCHANGE, routing_key="dead", durable=True)
EXCHANGE = Exchange("voter-imports", type="direct", durable=True)
QUEUE = Queue(
    "voter-imports",
    EXCHANGE,
    routing_key="import",
    durable=True,
    queue_arguments={
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-dead-letter-exchange": DEAD_EXCHANGE.name,
        "x-dead-letter-routing-key": "dead",
    },
)


class UnreadableMessage(Exception):
    """A message that no version of this service has sent, or a later one has."""


def encode(job_id: UUID) -> dict[str, Any]:
    """The body of the message for a job."""
    return {"version": MESSAGE_VERSION, "job_id": str(job_id)}


def decode(body: object) -> UUID:
    """The job of a message body. Raises `UnreadableMessage`."""
    if not isinstance(body, dict) or body.get("version") != MESSAGE_VERSION:
        raise UnreadableMessage("not a message of a known version")
    try:
        return UUID(body["job_id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableMessage("no job id in the message") from error


def correlation_of(message: Any) -> str | None:
    """The id of the request that rang; None for a message that has none of our form, since anybody
    may have put it into the queue."""
    found = message.properties.get("correlation_id")
    return found if is_request_id(found) else None


def consumer_connection(broker_url: str) -> Connection:
    """A connection for a worker, not yet established."""
    return _connection(
        broker_url, heartbeat=HEARTBEAT_SECONDS, connect_timeout=CONSUMER_CONNECT_SECONDS
    )


def declare_dead_queue(connection: Connection) -> None:
    """Make the queue of messages that nobody can use, or take one of that name as it is.

    An operator or an earlier version may have made it of another type or with a limit; the broker
    refuses the declaration then and closes the channel.
    """
    try:
        with connection.channel() as channel:
            DEAD_QUEUE.bind(channel).declare()
    except connection.channel_errors as error:
        logger.warning("dead-letter queue used as it is", extra={"reason": type(error).__name__})
        with connection.channel() as channel:
            DEAD_QUEUE.bind(channel).queue_bind()


def queue_depths(broker_url: str) -> dict[str, int]:
    """How many messages lie in each queue of this service; one that nobody has made yet is not
    told of. Raises what the transport raises when the broker is out of reach."""
    found: dict[str, int] = {}
    with _connection(broker_url, connect_timeout=CONSUMER_CONNECT_SECONDS) as connection:
        connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
        for queue in (QUEUE, DEAD_QUEUE):
            # The broker closes the channel on which it is asked for a queue that is not there.
            with suppress(*connection.channel_errors), connection.channel() as channel:
                found[queue.name] = channel.queue_declare(queue.name, passive=True).message_count
    return found


class EmbeddedTransport(filesystem.Transport):
    """kombu's filesystem transport with bindings of its own.

    kombu remembers them once for all folders of a process: a second folder would get none, and
    its messages would go nowhere.
    """

    def __init__(self, client: Connection, **options: Any) -> None:
        super().__init__(client, **options)  # type: ignore[no-untyped-call]
        self.state = virtual.BrokerState()


def _connection(url: str, **options: Any) -> Connection:
    """`filesystem://FOLDER` is the embedded broker, relative to the project; all else is AMQP."""
    kind, _, place = url.partition("://")
    if kind != "filesystem":
        options["transport_options"] = {"confirm_publish": True, "read_timeout": READ_SECONDS}
        if kind == "amqps":
            # kombu puts the URL's host in here. Left to itself, py-amqp takes a certificate that
            # any known authority has given to anybody.
            options["ssl"] = {"server_hostname": None}
        return Connection(url, **options)
    folder = PROJECT_ROOT / place
    (folder / "messages").mkdir(parents=True, exist_ok=True)
    return Connection(
        transport=EmbeddedTransport,
        transport_options={
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "polling_interval": FILESYSTEM_POLL_SECONDS,
        },
    )


class Doorbell:
    """Publishes from the threads of one web process over a few lasting connections."""

    def __init__(self, broker_url: str) -> None:
        connection = _connection(broker_url, connect_timeout=PUBLISHER_CONNECT_SECONDS)
        self._connections = connection.Pool(MAX_PUBLISHERS)
        self._producers = ProducerPool(self._connections, limit=MAX_PUBLISHERS)
        self._room = threading.BoundedSemaphore(MAX_PUBLISHERS)

    def ring(self, job_id: UUID) -> bool:
        """Tell the workers of a committed job; False when the broker did not confirm in time.

        No broker fault comes out of here: the job is committed, and workers look into the jobs
        table as well.
        """
        try:
            self._start_publishing(job_id).result(RING_SECONDS)
        except Exception as error:  # noqa: BLE001 - transports raise errors of no common family
            logger.warning(
                "doorbell not confirmed; a worker finds the job when it polls",
                extra={"job_id": str(job_id), "reason": type(error).__name__},
            )
            return False
        return True

    def _start_publishing(self, job_id: UUID) -> "Future[None]":
        """In a thread that keeps nobody from ending, and only so many of them at a time."""
        if not self._room.acquire(timeout=RING_SECONDS):
            raise TimeoutError
        outcome: Future[None] = Future()
        correlation_id = request_id()

        def publish() -> None:
            try:
                self._publish_once(job_id, correlation_id)
                outcome.set_result(None)
            except Exception as error:  # noqa: BLE001 - raised again where it is waited for
                outcome.set_exception(error)
            finally:
                self._room.release()

        threading.Thread(target=publish, name="doorbell", daemon=True).start()
        return outcome

    def _publish_once(self, job_id: UUID, correlation_id: str | None) -> None:
        with self._producers.acquire(block=True, timeout=CONFIRM_SECONDS) as producer:
            try:
                self._publish(producer, job_id, correlation_id)
            except Exception:
                # What the broker may still answer must not meet the next publisher.
                producer.connection.collect()
                raise

    def close(self) -> None:
        """Close the connections; the doorbell is of no more use."""
        self._producers.force_close_all()
        self._connections.force_close_all()

    def _publish(self, producer: Any, job_id: UUID, correlation_id: str | None) -> None:
        producer.publish(
            encode(job_id),
            exchange=EXCHANGE,
            routing_key=QUEUE.routing_key,
            declare=[QUEUE],
            serializer="json",
            delivery_mode="persistent",
            mandatory=True,
            correlation_id=correlation_id,
            timeout=CONFIRM_SECONDS,
            confirm_timeout=CONFIRM_SECONDS,
            retry=True,
            retry_policy=RETRY_POLICY,
        )
