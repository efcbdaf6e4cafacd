"""Long polls: a request may wait for news, and takes care of what the others need meanwhile.

It keeps one of the process's threads and no database connection. It takes a place of the long
answers, of which it leaves one free for a download; without a place it is answered at once, with
what there is.
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

_waiting = BoundedSemaphore(MAX_WAITING)


def wait_until(is_due: Callable[[], bool], seconds: float) -> None:
    """Look every quarter of a second; return when it is due, or when there is no more waiting.

    That is when the time is over, when the process stops, or at once when too many wait already.
    `is_due` must leave no database connection open.
    """
    if not _waiting.acquire(blocking=False):
        return
    try:
        if places.acquire(blocking=False):
            try:
                _wait(is_due, time.monotonic() + seconds)
            finally:
                places.release()
    finally:
        _waiting.release()


def _wait(is_due: Callable[[], bool], deadline: float) -> None:
    while not _is_stopping() and (left_seconds := deadline - time.monotonic()) > 0:
        time.sleep(min(LOOK_SECONDS, left_seconds))
        if is_due():
            return


def _is_stopping() -> bool:
    """Gunicorn's worker has got its signal; its grace is shorter than the longest wait."""
    worker = current_app.extensions.get(WORKER)
    return worker is not None and not worker.alive
