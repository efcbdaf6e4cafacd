"""Questions to other services, whose answers may never come."""

import logging
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Probe(Generic[T]):
    """One question, asked in a separate thread, with a limit of seconds for the answer.

    Not every library keeps its timeouts, and none has a timeout for a name lookup. While an earlier
    question still waits, no other is asked. So a probe has one thread at most.
    """

    def __init__(self, ask: Callable[[], T], *, seconds: float, otherwise: T) -> None:
        self._ask = ask
        self._seconds = seconds
        self._otherwise = otherwise
        self._answer = otherwise
        self._thread: threading.Thread | None = None
        self._deadline = 0.0

    def start(self) -> None:
        """Ask, unless the last question still waits for its answer."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._answer = self._otherwise
        self._deadline = time.monotonic() + self._seconds
        self._thread = threading.Thread(target=self._run, name="probe", daemon=True)
        self._thread.start()

    def answer(self) -> T:
        """Return the answer to the question of `start`, or `otherwise` if its time has passed."""
        if self._thread is not None:
            self._thread.join(max(0.0, self._deadline - time.monotonic()))
            if self._thread.is_alive():
                return self._otherwise
        return self._answer

    def _run(self) -> None:
        try:
            self._answer = self._ask()
        except Exception:
            logger.exception("probe met an internal error")
