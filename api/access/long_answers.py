"""Limit for responses that hold a thread for long: downloads and long polls.

They hold at most half the threads of a process. The other threads answer all other requests.
"""

import weakref
from collections.abc import Callable
from http import HTTPStatus
from threading import BoundedSemaphore

from flask import Response
from webargs.flaskparser import abort

from config.gunicorn import threads

MAX_LONG_ANSWERS = threads // 2
RETRY_AFTER_SECONDS = "10"

places = BoundedSemaphore(MAX_LONG_ANSWERS)


def long_answer(make: Callable[[], Response]) -> Response:
    """Return the response of `make`, which holds a place until it is closed.

    If no place is free, the request ends here with 503.
    """
    if not places.acquire(blocking=False):
        abort(
            HTTPStatus.SERVICE_UNAVAILABLE,
            message="Too many downloads are under way. Try again in a few seconds.",
            headers={"Retry-After": RETRY_AFTER_SECONDS},
        )
    try:
        response = make()
    except BaseException:
        places.release()
        raise
    # Release the place exactly once, even if the response is never sent.
    release = weakref.finalize(response, places.release)
    release.atexit = False
    response.call_on_close(release)
    # In this mode Werkzeug gives Gunicorn the bare file and closes nothing else, so the place would
    # stay taken.
    response.direct_passthrough = False
    return response
