"""Long polls: a request may wait for news, and takes care of what the others need meanwhile.

It keeps one of the process's threads and no database connection. Half of the threads may wait at
once; who comes later is answered at once, with what there is.
"""

import time
from collections.abc import Callable
from threading import BoundedSemaphore

from flask import current_app

from config.gunicorn import WORKER, threads

MAX_WAIT_SECONDS = 30
LOOK_SECONDS = 0.25
MAX_WAITING = threads // 2

_places = BoundedSemaphore(MAX_WAITING)


def wait_until(is_due: Callable[[], bool], seconds: float) -> None:
    """Look every quarter of a second; return when it is due, or when there is no more waiting.

    That is when the time is over, when the process stops, or at once when too many wait already.
    `is_due` must leave no database connection open.
    """
    if not _places.acquire(blocking=False):
        return
    try:
        deadline = time.monotonic() + seconds
        while not _is_stopping() and (left_seconds := deadline - time.monotonic()) > 0:
            time.sleep(min(LOOK_SECONDS, left_seconds))
            if is_due():
                return
    finally:
        _places.release()


def _is_stopping() -> bool:
    """Gunicorn's worker has got its signal; its grace is shorter than the longest wait."""
    worker = current_app.extensions.get(WORKER)
    return worker is not None and not worker.alive
