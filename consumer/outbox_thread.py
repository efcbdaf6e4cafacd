"""Works off an outbox beside the worker's loop, without touching any job's outcome."""

import logging
import threading
from collections.abc import Callable

from peewee import PeeweeException

from shared.database import database

logger = logging.getLogger(__name__)

STOP_SECONDS = 0.5


class OutboxThread(threading.Thread):
    """A thread with a database connection of its own; a slow receiver delays only its own kind.

    `send_one` sends what is due and returns False when there was nothing.
    """

    def __init__(self, name: str, send_one: Callable[[], bool], poll_seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._send_one = send_one
        self._poll_seconds = poll_seconds
        self._stopping = threading.Event()

    def run(self) -> None:
        """Send what is due until told to stop."""
        while not self._stopping.is_set():
            try:
                is_idle = not self._send_one()
            except PeeweeException as error:
                logger.warning("outbox out of reach", extra={"reason": type(error).__name__})
                database.close()
                is_idle = True
            if is_idle:
                self._stopping.wait(self._poll_seconds)
        database.close()

    def stop(self) -> None:
        """End after what is in hand, or without it when the receiver is slow."""
        self._stopping.set()
        self.join(timeout=STOP_SECONDS)
