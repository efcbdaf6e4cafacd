"""The way to the broker, made beside the worker's loop, and what to do when it is refused."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from amqp.exceptions import AccessRefused, AMQPError, NotAllowed, PreconditionFailed
from kombu.connection import Connection

ADVICE: dict[type[AMQPError], str] = {
    PreconditionFailed: (
        "the broker has a queue or exchange of this service with other properties; stop the"
        " workers and delete it: they make it anew, and no job is lost with its messages"
    ),
    AccessRefused: "check user, password and permissions of BROKER_URL",
    NotAllowed: "check the virtual host of BROKER_URL",
}


class Refused(Exception):
    """No waiting mends this: the broker is there and does not have this service as it is. The text
    tells the operator what to do."""


@contextmanager
def refusals_told() -> Iterator[None]:
    """Turn what the broker refuses for good in this block into `Refused`."""
    try:
        yield
    except tuple(ADVICE) as error:
        raise Refused(f"{type(error).__name__}: {ADVICE[type(error)]}") from error


class Connecting(threading.Thread):
    """Establishes a connection once. It has a thread of its own because no timeout covers the
    looking up of a name: the worker's jobs, leases and signals must not wait for that."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(name="connecting", daemon=True)
        self._connection = connection
        self._error: Exception | None = None

    def run(self) -> None:
        """Try once; the outcome is told by `raise_error`."""
        try:
            # Not `connect`, which tries twice and sleeps between.
            self._connection.ensure_connection(max_retries=0, reraise_as_library_errors=False)
        except Exception as error:  # noqa: BLE001 - raised again in the thread that waits for it
            self._error = error

    def raise_error(self) -> None:
        """Raise what has kept the connection from being made."""
        if self._error is not None:
            raise self._error
