"""JSON errors for requests that Gunicorn could not parse."""

import json
import logging
from http import HTTPStatus

from gunicorn.http import errors

from api.rest.error_codes import REFUSED_HEADS, TOO_SLOW, with_code
from shared.errors import VoterSystemError

logger = logging.getLogger(__name__)


class BodyTooSlow(VoterSystemError):
    """A small body did not arrive in time."""


REFUSALS = {
    errors.LimitRequestLine: (
        HTTPStatus.REQUEST_URI_TOO_LONG,
        REFUSED_HEADS[HTTPStatus.REQUEST_URI_TOO_LONG],
    ),
    errors.LimitRequestHeaders: (
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        REFUSED_HEADS[HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE],
    ),
    errors.UnsupportedTransferCoding: (
        HTTPStatus.NOT_IMPLEMENTED,
        "The service does not support this transfer coding.",
    ),
    errors.ExpectationFailed: (
        HTTPStatus.EXPECTATION_FAILED,
        "The service supports no expectation except `100-continue`.",
    ),
    BodyTooSlow: (HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW),
    errors.ParseException: (HTTPStatus.BAD_REQUEST, "The request is not valid HTTP."),
}
FAULT = (HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong in the service.")


def answer_to(error: BaseException) -> bytes:
    """Return a whole HTTP response. The log does not quote the head, which may hold a token."""
    status, message = next(
        (refusal for kind, refusal in REFUSALS.items() if isinstance(error, kind)), FAULT
    )
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        logger.error("internal error before the request was complete", exc_info=error)
    else:
        logger.warning("invalid request", extra={"reason": type(error).__name__})
    return _answer(status, message)


def _answer(status: HTTPStatus, message: str) -> bytes:
    payload = {
        "code": int(status),
        "status": status.phrase,
        "message": message,
        "errors": with_code(status, None),
    }
    body = json.dumps(payload).encode()
    head = (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nCache-Control: no-store\r\n"
        f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
