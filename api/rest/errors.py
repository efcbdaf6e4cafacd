"""Every error of the API in one shape: code, status, message, errors.

The message is a sentence for the user, and `errors` is for the user's program.
"""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from flask import Flask, request
from flask_smorest import Api
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, HTTPException, SecurityError

from api.middleware.errors import TooSlow
from api.rest.error_codes import TOO_SLOW, ApiCode, with_code
from api.rest.schemas import ErrorSchema
from api.services import services
from shared.access.errors import PasswordsBusy
from shared.database.outages import OUTAGES, is_disk_full, reason_of
from shared.importing.errors import KeyReused, TooLarge
from shared.roll_file.errors import FileCode, FileFault
from shared.storage.errors import StoreFull, StoreUnavailable

logger = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = "5"
KEPT_HEADERS = ("Allow", "Retry-After")
FILE_STATUS = {
    FileCode.EMPTY_FILE: HTTPStatus.UNPROCESSABLE_ENTITY,
    FileCode.UNSUPPORTED_FORMAT: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}
SENTENCES = {
    400: "There is no file in the request.",
    401: "This API token is unknown.",
    403: "This API token lacks the scope `import`.",
    404: "Nothing is at this URL.",
    405: (
        "This URL does not support the method. The header `Allow` lists the methods that it"
        " supports."
    ),
    406: "None of the formats in the header `Accept` is available.",
    409: "This job has already ended, so it cannot be cancelled.",
    410: "The files of this job were deleted after the retention time.",
    412: "The entry has changed since you saw it. Look at it again before you change it.",
    413: "The file is larger than the service accepts.",
    415: "The file looks like a PDF document.",
    422: "A parameter is not valid. `errors` says which and why.",
    428: (
        "Send the entry's `ETag` in the header `If-Match`. It shows which version you want to"
        " change."
    ),
    429: "Too many API tokens were rejected. Wait a moment.",
    500: "Something went wrong in the service.",
    503: "The database or the upload store is unavailable. Try again in a moment.",
    507: "There is no room for the file now. Report it to the operator.",
}
BROKEN_OFF = (
    "The request broke off, or its body is framed wrongly. Nothing was stored. Send it again."
)
# For these, the sentence says all that Werkzeug's own description could say.
DEFAULTS = {404, 405, 406, 412, 422, 428}

Answer = tuple[dict[str, Any], int, dict[str, str]]


class ServiceApi(Api):  # type: ignore[misc]
    """Flask-Smorest's API, with a message in every error."""

    ERROR_SCHEMA = ErrorSchema

    def handle_http_exception(self, error: HTTPException) -> Answer:
        """Return the response to an HTTP error that Werkzeug, webargs or a view has raised."""
        payload, status, headers = super().handle_http_exception(error)
        errors = payload.get("errors") or {}
        if isinstance(error, SecurityError):
            errors = {"code": ApiCode.UNKNOWN_HOST}
        answer = {
            "code": status,
            "status": HTTPStatus(status).phrase,
            "message": payload.get("message") or _default(error),
            "errors": with_code(status, errors),
        }
        own_headers = {name: value for name, value in error.get_headers() if name in KEPT_HEADERS}
        return answer, status, {**own_headers, **(headers or {})}


def _default(error: HTTPException) -> str | None:
    return SENTENCES[error.code] if error.code in DEFAULTS else error.description


def register_errors(app: Flask) -> None:
    """Register the handlers for the errors of the other layers and for unexpected errors."""
    app.register_error_handler(FileFault, _refused_file)
    app.register_error_handler(TooLarge, _too_large)
    app.register_error_handler(KeyReused, _key_reused)
    app.register_error_handler(ParseException, _unreadable_request)
    app.register_error_handler(ClientDisconnected, _broken_off)
    app.register_error_handler(StoreFull, _no_room)
    app.register_error_handler(PasswordsBusy, _passwords_busy)
    app.register_error_handler(OSError, _fault_of_machine)
    unavailable: tuple[type[Exception], ...] = (StoreUnavailable, *OUTAGES)
    for outage in unavailable:
        app.register_error_handler(outage, _unavailable)
    app.register_error_handler(Exception, _defect)


def error_answer(
    status: HTTPStatus,
    message: str,
    *,
    errors: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Return body, status and headers of an error."""
    payload = {
        "code": int(status),
        "status": status.phrase,
        "message": message,
        "errors": with_code(status, errors),
    }
    return payload, int(status), dict(headers or {})


def _refused_file(fault: FileFault) -> Answer:
    status = FILE_STATUS.get(fault.code, HTTPStatus.UNPROCESSABLE_ENTITY)
    return error_answer(status, fault.message, errors={"code": str(fault.code)})


def _too_large(_: TooLarge) -> Answer:
    limit_bytes = services().settings.max_upload_bytes
    return error_answer(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        f"The file is larger than the service accepts ({limit_bytes:,} bytes). Split it, or"
        " ask the operator to raise MAX_UPLOAD_BYTES.",
    )


def _key_reused(_: KeyReused) -> Answer:
    return error_answer(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "This Idempotency-Key was used before, for another file or with other options."
        " Nothing was stored. Use a new key.",
        errors={"code": str(ApiCode.KEY_REUSED)},
    )


def _unreadable_request(_: ParseException) -> Answer:
    return error_answer(
        HTTPStatus.BAD_REQUEST, BROKEN_OFF, errors={"code": ApiCode.UNREADABLE_REQUEST}
    )


def _broken_off(error: ClientDisconnected) -> Answer:
    """Answer an error that Werkzeug met while it read a body: 408 for a slow client, else 400."""
    if isinstance(error.__context__, TooSlow):
        return error_answer(HTTPStatus.REQUEST_TIMEOUT, TOO_SLOW)
    return error_answer(
        HTTPStatus.BAD_REQUEST, BROKEN_OFF, errors={"code": ApiCode.UNREADABLE_REQUEST}
    )


def _fault_of_machine(error: OSError) -> Answer:
    """Answer 507 for a full disk, which can happen wherever a temporary file is made."""
    return _no_room(error) if is_disk_full(error) else _defect(error)


def _no_room(error: Exception) -> Answer:
    logger.error("there is no room left", extra={"reason": str(error)})
    return error_answer(HTTPStatus.INSUFFICIENT_STORAGE, SENTENCES[507])


def _passwords_busy(_: PasswordsBusy) -> Answer:
    return error_answer(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Too many users are signing in. Try again in a few seconds.",
        headers={"Retry-After": RETRY_AFTER_SECONDS},
    )


def _unavailable(error: Exception) -> Answer:
    logger.warning("a service is unavailable", extra={"reason": reason_of(error)})
    return error_answer(
        HTTPStatus.SERVICE_UNAVAILABLE,
        SENTENCES[503],
        headers={"Retry-After": RETRY_AFTER_SECONDS},
    )


def _defect(error: Exception) -> Answer:
    """Log a bug and answer 500 with its error id.

    Flask's own log line would show the URL, which may hold a student id.
    """
    error_id = uuid4().hex[:12]
    route = request.url_rule.rule if request.url_rule else None
    logger.error(
        "request met an internal error",
        exc_info=error,
        extra={"error_id": error_id, "route": route},
    )
    return error_answer(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "Something went wrong in the service. Try again. If it happens again, give the"
        f" operator this error id: {error_id}.",
        errors={"error_id": error_id},
    )
