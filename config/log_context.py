"""The fields of every log line while work is done: the request, the job, the attempt.

The fields belong to the thread that sets them. `config.logging` adds them to its lines.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

REQUEST_ID = "request_id"
# A value that may be anything other than an id must not be in a log. The minimum length keeps out
# student ids of the usual length.
_FORM = re.compile(r"[A-Za-z0-9_-]{20,64}")
NOTHING: Mapping[str, object] = MappingProxyType({})

_fields: ContextVar[Mapping[str, object]] = ContextVar("log fields", default=NOTHING)


def log_fields() -> Mapping[str, object]:
    """Return the current fields of this thread's lines."""
    return _fields.get()


def begin(**fields: object) -> None:
    """Put these fields, and no others, on the lines from now on."""
    _fields.set(_with_known_names(fields))


@contextmanager
def logged_with(**fields: object) -> Iterator[None]:
    """Add these fields to the lines of the block. A field that is None is left out."""
    outside = _fields.get()
    _fields.set({**outside, **_with_known_names(fields)})
    try:
        yield
    finally:
        _fields.set(outside)


def request_id() -> str | None:
    """Return the id of the current request, or of the request that created the current job."""
    value = _fields.get().get(REQUEST_ID)
    return None if value is None else str(value)


def is_request_id(value: object) -> bool:
    """Whether a value that a client sends may be used as a request id."""
    return isinstance(value, str) and _FORM.fullmatch(value) is not None


def _with_known_names(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
