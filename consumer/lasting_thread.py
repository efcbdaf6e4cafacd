"""A background thread that no exception ends."""

import logging
import threading
from collections.abc import Callable, Iterable

from shared.database.connection import database
from shared.database.outages import OUTAGES, OutageLog
from shared.storage.errors import StoreFull, StoreUnavailable

logger = logging.getLogger(__name__)

# An internal error that returns with every turn must not fill the log.
DEFECT_SECONDS = 10.0
STOP_SECONDS = 0.5
OUT_OF_SERVICE: tuple[type[Exception], ...] = (*OUTAGES, StoreUnavailable, StoreFull)


class LastingThread(threading.Thread):
    """Takes one turn after another, on its own database connection, until it is stopped.

    `turn` returns whether the next turn can follow without a pause. The thread logs an outage of
    the database or the upload store as a warning, and any other exception as an internal error.
    After both it goes on with the next turn.
    """

    def __init__(self, name: str, turn: Callable[[], bool], pause_seconds: float) -> None:
        super().__init__(name=name, daemon=True)
        self._turn = turn
        self._pause_seconds = pause_seconds
        self._stopping = threading.Event()
        self._outages = OutageLog(logger, f"{name}: database or upload store cannot be used")
        self._is_failing = False

    @property
    def is_in_trouble(self) -> bool:
        """Whether the thread has died, or its last turn had an internal error."""
        has_died = self.ident is not None and not self.is_alive()
        return self._is_failing or (has_died and not self._stopping.is_set())

    def run(self) -> None:
        """Take turns until `stop` is called."""
        while not self._stopping.is_set():
            pause_seconds = self._pause_after_turn()
            self._stopping.wait(pause_seconds)
        database.close()

    def _pause_after_turn(self) -> float:
        try:
            has_more = self._turn()
        except OUT_OF_SERVICE as error:
            self._outages.note(error)
            _let_go()
            return self._pause_seconds
        except Exception:
            self._is_failing = True
            logger.exception("thread met an internal error", extra={"name_of_thread": self.name})
            _let_go()
            return max(self._pause_seconds, DEFECT_SECONDS)
        self._is_failing = False
        return 0.0 if has_more else self._pause_seconds

    def stop(self) -> None:
        """Stop after the current turn. Do not wait longer than STOP_SECONDS for it."""
        self._stopping.set()
        self.join(timeout=STOP_SECONDS)


def names_in_trouble(threads: Iterable[LastingThread]) -> list[str]:
    """The names of the threads that have died or failed in their last turn."""
    return [thread.name for thread in threads if thread.is_in_trouble]


def _let_go() -> None:
    """Close the database connection, which may be the cause, and may be impossible to close."""
    try:
        database.close()
    except OUTAGES:
        logger.info("connection lost")
