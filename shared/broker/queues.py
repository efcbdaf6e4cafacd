"""The queues of the service and the exchanges in front of them."""

import logging
from contextlib import suppress

from kombu.connection import Connection
from kombu.entity import Exchange, Queue

from shared.broker.connection import CONSUMER_CONNECT_SECONDS, connection_to

logger = logging.getLogger(__name__)

DELIVERY_LIMIT = 20
DEAD_EXCHANGE = Exchange("voter-imports.dead", type="direct", durable=True)
# A classic queue, although the other is a quorum queue: losing its messages loses no job.
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


def declare_dead_queue(connection: Connection) -> None:
    """Declare the queue of unusable messages, or use an existing one of that name as it is.

    An operator or an earlier version may have made it of another type or with a limit. The broker
    then rejects the declaration and closes the channel.
    """
    try:
        with connection.channel() as channel:
            DEAD_QUEUE.bind(channel).declare()
    except connection.channel_errors as error:
        logger.warning("dead-letter queue used as it is", extra={"reason": type(error).__name__})
        with connection.channel() as channel:
            DEAD_QUEUE.bind(channel).queue_bind()


def queue_depths(broker_url: str) -> dict[str, int]:
    """Return the number of messages in each queue of this service.

    Leaves out a queue that does not exist yet. Raises what the transport raises if the broker is
    unavailable.
    """
    depths: dict[str, int] = {}
    with connection_to(broker_url, connect_timeout=CONSUMER_CONNECT_SECONDS) as connection:
        connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
        for queue in (QUEUE, DEAD_QUEUE):
            # If the queue does not exist, the broker closes the channel of the request.
            with suppress(*connection.channel_errors), connection.channel() as channel:
                depths[queue.name] = channel.queue_declare(queue.name, passive=True).message_count
    return depths
