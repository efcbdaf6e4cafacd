"""Long polls: a request waits for news, without blocking other requests.

It holds one thread of the process and no database connection. It also takes one of the places of
`api.access.long_answers`. Long polls always leave one place free for a download. If no place is
free, the service answers immediately with the current state.
"""

import time
from collections.abc import Callable
from threading import BoundedSemaphore

from flask import current_app

from api.access.long_answers import MAX_LONG_ANSWERS, places
from config.gunicorn import WORKER

MAX_WAIT_SECONDS = 30
LOOK_SECONDS = 0.25
MAX_WAITING = MAX_LONG_ANSWERS - 1

_waiting_slots = BoundedSemaphore(MAX_WAITING)


def wait_until(is_due: Callable[[], bool], seconds: float) -> None:
    """Call `is_due` every quarter of a second, and return when it is true or the wait ends.

    The wait ends when its time has passed or when the process stops. It ends immediately if too
    many requests are waiting already. `is_due` must leave no database connection open.
    """
    if not _waiting_slots.acquire(blocking=False):
        return
    try:
        if places.acquire(blocking=False):
            try:
                _wait(is_due, time.monotonic() + seconds)
            finally:
                places.release()
    finally:
        _waiting_slots.release()


def _wait(is_due: Callable[[], bool], deadline: float) -> None:
    while not _is_stopping() and (left_seconds := deadline - time.monotonic()) > 0:
        time.sleep(min(LOOK_SECONDS, left_seconds))
        if is_due():
            return


def _is_stopping() -> bool:
    """Whether Gunicorn stops the worker. Its grace period is shorter than the longest wait."""
    worker = current_app.extensions.get(WORKER)
    return worker is not None and not worker.alive
