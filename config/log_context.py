"""What every log line says while something is being done: the request, the job, the attempt.

The fields belong to the thread that sets them; `config.logging` puts them on its lines.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

REQUEST_ID = "request_id"
# What could be anything but an id may not stand in a log; long enough that no student id passes for
# one.
_FORM = re.compile(r"[A-Za-z0-9_-]{20,64}")
NOTHING: Mapping[str, object] = MappingProxyType({})

_fields: ContextVar[Mapping[str, object]] = ContextVar("log fields", default=NOTHING)


def log_fields() -> Mapping[str, object]:
    """The fields of this thread's lines at present."""
    return _fields.get()


def begin(**fields: object) -> None:
    """Put these fields, and no others, on the lines from here on."""
    _fields.set(_known(fields))


@contextmanager
def logged_with(**fields: object) -> Iterator[None]:
    """Put these fields on the lines of the block as well. None says nothing."""
    outside = _fields.get()
    _fields.set({**outside, **_known(fields)})
    try:
        yield
    finally:
        _fields.set(outside)


def request_id() -> str | None:
    """Of the request that is being answered, or that has made the job in hand."""
    found = _fields.get().get(REQUEST_ID)
    return None if found is None else str(found)


def is_request_id(claimed: object) -> bool:
    """Whether what a stranger calls a request id may be taken for one."""
    return isinstance(claimed, str) and _FORM.fullmatch(claimed) is not None


def _known(fields: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}
