"""The errors of requests that arrive too slowly or hold too much."""

import errno

from werkzeug.exceptions import RequestEntityTooLarge

from shared.errors import VoterSystemError


class TooSlow(VoterSystemError, TimeoutError):
    """A thread has waited for the client long enough."""

    def __init__(self) -> None:
        # Gunicorn handles EPIPE as a broken connection, and does not log it as an error.
        super().__init__(errno.EPIPE, "the client is too slow")


class FormTooLarge(VoterSystemError, RequestEntityTooLarge):
    """The form exceeds one of its own limits, not that of the file in it."""
