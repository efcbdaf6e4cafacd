"""Limits for the length of a header, with all its repetitions, before anything reads it.

Some headers are lists. Werkzeug sorts the media types of an `Accept` and compares each with each.
For 32 KB of them this takes a quarter of a second, and any client may send them.
"""

from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, request
from webargs.flaskparser import abort

from api.rest.error_codes import REFUSED_HEADS
from config.gunicorn import limit_request_field_size

MAX_CHARS = limit_request_field_size
# Browsers and programs send fewer than 300 characters.
MAX_LIST_CHARS: Mapping[str, int] = {
    "HTTP_ACCEPT": 1024,
    "HTTP_ACCEPT_CHARSET": 1024,
    "HTTP_ACCEPT_ENCODING": 1024,
    "HTTP_ACCEPT_LANGUAGE": 1024,
    "HTTP_IF_MATCH": 1024,
    "HTTP_IF_NONE_MATCH": 1024,
    "HTTP_RANGE": 1024,
    "CONTENT_TYPE": 1024,
}


def limit_headers(app: Flask) -> None:
    """Reject a request with a longer header. Call it before everything that reads headers."""
    app.before_request(_check)


def _check() -> None:
    if any(_is_too_long(name, value) for name, value in request.environ.items()):
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        abort(status, message=REFUSED_HEADS[status])


def _is_too_long(name: str, value: object) -> bool:
    if not isinstance(value, str):
        return False
    if name.startswith("HTTP_"):
        return len(value) > MAX_LIST_CHARS.get(name, MAX_CHARS)
    return name == "CONTENT_TYPE" and len(value) > MAX_LIST_CHARS[name]
