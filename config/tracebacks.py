"""Tracebacks for the log, without the values that database errors quote."""

import re
import traceback
from collections.abc import Iterator
from types import TracebackType

DRIVERS = ("psycopg", "peewee", "sqlite3")
# A driver quotes the row at fault after these words. The row may hold anything, even what looks
# like the next part of a traceback, so everything after them is cut.
_QUOTED_ROW = re.compile(r"^\s*(DETAIL|CONTEXT|QUERY|STATEMENT):.*", re.MULTILINE | re.DOTALL)
# Matches `invalid input syntax for type integer: "Lee"` and `value "Lee" is out of range`.
_QUOTED_VALUE = re.compile(r'(: |\bvalue )".*', re.DOTALL)
_CUT = r"\1: (not logged)"
_CAUSED = "\nThe above exception was the direct cause of the following exception:\n\n"
_MEANWHILE = "\nDuring handling of the above exception, another exception occurred:\n\n"


def format_traceback(error: BaseException, trace: TracebackType | None) -> str:
    """Format the traceback of an error and of those that led to it, as Python does."""
    return "".join(reversed([*_parts(error, trace)])).rstrip("\n")


def _parts(error: BaseException, trace: TracebackType | None) -> Iterator[str]:
    """Yield the parts from the last error to the first."""
    ids = {id(error)}
    yield _one(error, trace)
    while earlier := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        if id(earlier) in ids:
            return
        ids.add(id(earlier))
        yield _CAUSED if error.__cause__ else _MEANWHILE
        error = earlier
        yield _one(error, error.__traceback__)


def _one(error: BaseException, trace: TracebackType | None) -> str:
    frames = "".join(traceback.format_tb(trace))
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    return f"Traceback (most recent call last):\n{frames}{name}: {words(error)}\n"


def words(error: BaseException) -> str:
    """Return the text of an error: for a database error, the first line without values."""
    message = _QUOTED_ROW.sub(_CUT, str(error))
    if not _is_of_a_database(error):
        return message
    return _QUOTED_VALUE.sub(r"\1(not logged)", message.partition("\n")[0])


def _is_of_a_database(error: BaseException) -> bool:
    return any(kind.__module__.partition(".")[0] in DRIVERS for kind in type(error).__mro__)
