"""Request bodies that stall, and those that were refused before they were read.

A server that closes a connection with unread bytes in it resets it, and the client loses the
answer that was sent (RFC 9112, section 9.6). So after an early answer (401, 413) the rest of the
body is read and dropped, within bounds. Gunicorn does this for 5 s on a connection that is kept
alive, and for 64 KiB on one that is not, which is too little for a client such as urllib.
"""

import time
from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING

from gunicorn.http.errors import ParseException
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BLOCK_BYTES = 64 * 1024
DRAIN_BYTES = 1024 * 1024 * 1024
DRAIN_SECONDS = 20.0
DRAIN_STALL_SECONDS = 2.0
# A thread waits this long for the next bytes of a body, or for the client to take an answer.
STALL_SECONDS = 60.0


class UnreadBodies:
    """WSGI middleware that drops the rest of a body after the answer has gone out."""

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        _wait_at_most(environ, STALL_SECONDS)
        answer = self.app(environ, start_response)
        if not environ.get("wsgi.input_terminated"):
            # Such a server's stream has no end to read up to.
            return answer
        return ClosingIterator(answer, partial(_drop_rest, environ))


def _wait_at_most(environ: "WSGIEnvironment", seconds: float) -> None:
    if "gunicorn.socket" in environ:
        environ["gunicorn.socket"].settimeout(seconds)


def _drop_rest(environ: "WSGIEnvironment") -> None:
    dropped_bytes = 0
    deadline = time.monotonic() + DRAIN_SECONDS
    try:
        _wait_at_most(environ, DRAIN_STALL_SECONDS)
        while dropped_bytes < DRAIN_BYTES and time.monotonic() < deadline:
            block = environ["wsgi.input"].read(BLOCK_BYTES)
            if not block:
                return
            dropped_bytes += len(block)
    except (OSError, ValueError, ParseException):
        # The client has gone, stalls, or frames its body wrongly. The answer is out either way.
        return
