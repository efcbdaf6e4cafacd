"""Answers that keep a thread for long: downloads of the roll and of files, and long polls.

At most half the threads of a process are kept so, and the others answer everybody else meanwhile.
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
    """The answer that `make` returns, which keeps a place until all of it is handed on.

    Without a free place the request ends here with 503.
    """
    if not places.acquire(blocking=False):
        abort(
            HTTPStatus.SERVICE_UNAVAILABLE,
            message="Too many downloads are under way. Please try again in some seconds.",
            headers={"Retry-After": RETRY_AFTER_SECONDS},
        )
    try:
        response = make()
    except BaseException:
        places.release()
        raise
    # Once, whether the answer is closed or was never sent.
    release = weakref.finalize(response, places.release)
    release.atexit = False
    response.call_on_close(release)
    # Otherwise Werkzeug hands the file to Gunicorn without the answer around it, and closes no more
    # than the file.
    response.direct_passthrough = False
    return response
