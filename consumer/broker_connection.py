"""The connection to the broker, made in a thread, and advice for when the broker refuses it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, PreconditionFailed
from kombu.connection import Connection

from consumer.errors import BrokerRefusal

ADVICE: dict[type[AMQPError], str] = {
    PreconditionFailed: (
        "the broker has a queue or exchange of this service with other properties. Stop the"
        " workers and delete it. They create it again, and no job is lost with its messages"
    ),
    AccessRefused: "check user, password and permissions of BROKER_URL",
    NotAllowed: "check the virtual host of BROKER_URL",
}


@contextmanager
def explain_refusals() -> Iterator[None]:
    """Raise `BrokerRefusal` for the AMQP errors in `ADVICE`, which a retry does not fix."""
    try:
        yield
    except tuple(ADVICE) as error:
        raise BrokerRefusal(f"{type(error).__name__}: {ADVICE[type(error)]}") from error


class ConnectionAttempt(threading.Thread):
    """A thread that tries once to establish a connection.

    No timeout covers the lookup of a host name. The worker's jobs, leases and signals must not
    wait for it.
    """

    def __init__(self, connection: Connection) -> None:
        super().__init__(name="connecting", daemon=True)
        self._connection = connection
        self._error: Exception | None = None

    def run(self) -> None:
        """Try once and keep the error for `raise_error`."""
        try:
            # `connect` would try twice and sleep in between.
            self._connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits for it
            self._error = error

    def raise_error(self) -> None:
        """Raise the error that prevented the connection, if there was one."""
        if self._error is not None:
            raise self._error
