"""One check of each service that the web process needs: database, workers, broker, store."""

import logging
from functools import partial
from typing import Any

from kombu.exceptions import OperationalError as BrokerError

from api.monitoring.probes import Probe
from shared.broker.connection import consumer_connection
from shared.broker.queues import queue_depths
from shared.database.connection import database
from shared.database.outages import OUTAGES, OutageLog, is_read_only
from shared.database.schema import pending_migrations
from shared.jobs.status_document import rfc3339
from shared.storage.errors import StoreUnavailable
from shared.storage.store import UploadStore
from shared.workers import check_writable, is_any_alive, is_any_in_trouble, latest_beat

logger = logging.getLogger(__name__)

outages = OutageLog(logger, "database cannot be used")

CONNECT_SECONDS = 1.0
QUEUES_SECONDS = 2.0
UNKNOWN_WORKER = {"worker": "unknown", "worker_seen_at": None}


def database_state() -> dict[str, Any]:
    """Return the state of the database, and of the workers, whose heartbeats are in it."""
    try:
        with database.connection_context():
            if pending_migrations():
                return {"database": "not migrated", **UNKNOWN_WORKER}
            check_writable()
            return {
                "database": "ok",
                "worker": _workers(),
                "worker_seen_at": rfc3339(latest_beat()),
            }
    except OUTAGES as error:
        outages.note(error)
        return {"database": _fault(error), **UNKNOWN_WORKER}


def _workers() -> str:
    if not is_any_alive():
        return "none"
    return "degraded" if is_any_in_trouble() else "ok"


def _fault(error: Exception) -> str:
    return "read-only" if is_read_only(error) else "unreachable"


def broker_state(broker_url: str) -> dict[str, Any]:
    """Return whether a connection to the broker opens. The connection is closed again."""
    connection: Any = consumer_connection(broker_url)
    with connection.clone(connect_timeout=CONNECT_SECONDS) as probe:
        try:
            probe.ensure_connection(max_retries=1, timeout=CONNECT_SECONDS)
        except (*probe.recoverable_connection_errors, BrokerError):
            return {"broker": "unreachable"}
    return {"broker": "ok"}


def queue_probe(broker_url: str) -> Probe[dict[str, int] | None]:
    """Return a probe for the number of messages in each queue.

    The answer is None if the broker does not respond in time.
    """
    return Probe(partial(_queue_messages, broker_url), seconds=QUEUES_SECONDS, otherwise=None)


def _queue_messages(broker_url: str) -> dict[str, int] | None:
    try:
        return queue_depths(broker_url)
    except Exception as error:  # noqa: BLE001 - transports raise errors of no common family
        logger.warning("broker unavailable", extra={"reason": type(error).__name__})
        return None


def storage_state(store: UploadStore) -> dict[str, Any]:
    """Return whether the upload store is available."""
    try:
        store.check()
    except StoreUnavailable as error:
        logger.warning("upload store unavailable", extra={"reason": str(error)})
        return {"storage": "unreachable"}
    finally:
        # If the store is in the database, its check has opened a connection.
        if not database.is_closed():
            database.close()
    return {"storage": "ok"}
