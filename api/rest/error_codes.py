"""The error codes of the API, for programs, besides the status and the message.

A view may set its own code in `errors`. An error without one gets the code of its status.
"""

from collections.abc import Mapping
from enum import StrEnum
from http import HTTPStatus


class ApiCode(StrEnum):
    """Why a request was rejected or failed."""

    BAD_REQUEST = "BAD_REQUEST"
    UNKNOWN_HOST = "UNKNOWN_HOST"
    UNREADABLE_REQUEST = "UNREADABLE_REQUEST"
    UNAUTHORIZED = "UNAUTHORIZED"
    INSUFFICIENT_SCOPE = "INSUFFICIENT_SCOPE"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    NOT_ACCEPTABLE = "NOT_ACCEPTABLE"
    CONFLICT = "CONFLICT"
    GONE = "GONE"
    PRECONDITION_FAILED = "PRECONDITION_FAILED"
    TOO_LARGE = "TOO_LARGE"
    ADDRESS_TOO_LONG = "ADDRESS_TOO_LONG"
    HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    INVALID_PARAMETER = "INVALID_PARAMETER"
    PRECONDITION_REQUIRED = "PRECONDITION_REQUIRED"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    INTERNAL_ERROR = "INTERNAL_ERROR"
    SERVICE_UNAVAILABLE = "SERVICE_UNAVAILABLE"
    NO_ROOM = "NO_ROOM"
    KEY_REUSED = "KEY_REUSED"
    JOB_FINAL = "JOB_FINAL"
    JOB_NOT_FINAL = "JOB_NOT_FINAL"
    NO_RECIPIENT = "NO_RECIPIENT"
    REPORT_PENDING = "REPORT_PENDING"
    FOLLOWED_BY_ANOTHER = "FOLLOWED_BY_ANOTHER"


TOO_SLOW = "The request arrives too slowly. Nothing was stored. Send it again."

OF_STATUS: dict[int, ApiCode] = {
    HTTPStatus.BAD_REQUEST: ApiCode.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED: ApiCode.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: ApiCode.INSUFFICIENT_SCOPE,
    HTTPStatus.NOT_FOUND: ApiCode.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED: ApiCode.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_ACCEPTABLE: ApiCode.NOT_ACCEPTABLE,
    HTTPStatus.CONFLICT: ApiCode.CONFLICT,
    HTTPStatus.GONE: ApiCode.GONE,
    HTTPStatus.PRECONDITION_FAILED: ApiCode.PRECONDITION_FAILED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ApiCode.TOO_LARGE,
    HTTPStatus.REQUEST_URI_TOO_LONG: ApiCode.ADDRESS_TOO_LONG,
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: ApiCode.HEADERS_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ApiCode.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY: ApiCode.INVALID_PARAMETER,
    HTTPStatus.PRECONDITION_REQUIRED: ApiCode.PRECONDITION_REQUIRED,
    HTTPStatus.TOO_MANY_REQUESTS: ApiCode.TOO_MANY_REQUESTS,
    HTTPStatus.NOT_IMPLEMENTED: ApiCode.BAD_REQUEST,
    HTTPStatus.INTERNAL_SERVER_ERROR: ApiCode.INTERNAL_ERROR,
    HTTPStatus.SERVICE_UNAVAILABLE: ApiCode.SERVICE_UNAVAILABLE,
    HTTPStatus.INSUFFICIENT_STORAGE: ApiCode.NO_ROOM,
}
# What the service answers to a request head that no view sees.
REFUSED_HEADS: dict[int, str] = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "The URL is too long.",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: (
        "The request has too many headers, or one that is too long."
    ),
}


def with_code(status: int, errors: Mapping[str, object] | None) -> dict[str, object]:
    """Return the `errors` of a response, with the code first.

    Faults of a whole body are under Marshmallow's name for them, `_schema`.
    """
    is_ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    other = ApiCode.INTERNAL_ERROR if is_ours else ApiCode.BAD_REQUEST
    # An HTTPStatus equals its number, also as the key of a dictionary.
    code = OF_STATUS.get(status, other)
    details = {
        place: {"_schema": faults} if isinstance(faults, list) else faults
        for place, faults in (errors or {}).items()
    }
    return {"code": str(code), **details}
