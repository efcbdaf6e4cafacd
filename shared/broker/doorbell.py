"""Publish the message that names a job, without delaying the upload."""

import logging
import threading
from concurrent.futures import Future
from typing import Any
from uuid import UUID

from kombu.pools import ProducerPool

from config.log_context import request_id
from shared.broker.connection import connection_to
from shared.broker.message import encode
from shared.broker.queues import EXCHANGE, QUEUE

logger = logging.getLogger(__name__)

# An upload is answered within two seconds, whatever the broker does. There are at most two attempts
# to connect and to get the message confirmed. The total limit also covers the name lookup, which no
# library timeout covers.
RING_SECONDS = 1.2
PUBLISHER_CONNECT_SECONDS = 0.4
CONFIRM_SECONDS = 0.5
RETRY_POLICY = {"max_retries": 1, "interval_start": 0.05, "interval_max": 0.05}
MAX_PUBLISHERS = 8


class Doorbell:
    """A publisher for the threads of one web process, over a few permanent connections."""

    def __init__(self, broker_url: str) -> None:
        connection = connection_to(broker_url, connect_timeout=PUBLISHER_CONNECT_SECONDS)
        self._connections = connection.Pool(MAX_PUBLISHERS)
        self._producers = ProducerPool(self._connections, limit=MAX_PUBLISHERS)
        self._room = threading.BoundedSemaphore(MAX_PUBLISHERS)

    def ring(self, job_id: UUID) -> bool:
        """Notify the workers of a committed job. Return False without a confirmation in time.

        Raises no broker fault, because the job is committed and workers look into the jobs table as
        well.
        """
        try:
            self._start_publishing(job_id).result(RING_SECONDS)
        except Exception as error:  # noqa: BLE001 - transports raise errors of no common family
            logger.warning(
                "doorbell not confirmed, a worker finds the job when it polls",
                extra={"job_id": str(job_id), "reason": type(error).__name__},
            )
            return False
        return True

    def _start_publishing(self, job_id: UUID) -> "Future[None]":
        """Publish in a daemon thread, which does not keep the process from ending.

        The number of such threads is limited.
        """
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
                # A late response of the broker must not reach the next publisher.
                producer.connection.collect()
                raise

    def close(self) -> None:
        """Close the connections. The doorbell cannot be used afterwards."""
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
