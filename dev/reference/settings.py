"""The page about the settings, from .env.example.

A test checks that the values in that file are the defaults in the code.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from dev.reference.markdown import codes, table

HEAD = """\
# Settings

A process reads the settings from the environment once, when it starts. In development it also reads
them from a file `.env`. If settings are invalid, the process does not start, and one message lists
all of them. `1` is yes, `0` is no. `make reference` makes this page from
[.env.example](../../.env.example).

With `DEBUG` off, some credentials also stop the start:

- a default or weak password in `DATABASE_URL`, the broker's URL or `EMAIL_HOST_PASSWORD`
- `guest` at a broker on another host
"""
TAIL = """\
## Settings that others read

Gunicorn and the `Procfile` read `PORT` and `WEB_CONCURRENCY`. `PORT` is the port of the web
process. Without it, the port is 8000 on loopback. `WEB_CONCURRENCY` is the number of web processes.
Without it, there are 2. The libraries libpq, OpenSSL and obstore read variables of their own.
"""
TITLE = re.compile(r"^# --- (.+?) -+\n", re.MULTILINE)
PAGE = re.compile(r"docs/([a-z/]+\.md)")
ASSIGNMENT = re.compile(r"#([A-Z_]+)=(.*)")


@dataclass
class Entry:
    """The settings that one comment explains. A value is "" if there is no default."""

    meaning: str
    values: dict[str, str] = field(default_factory=dict)


def settings_page(example: str) -> str:
    """The page, from the text of .env.example."""
    parts = [
        f"## {title}\n\n{table(('name', 'default', 'meaning'), map(_row, entries))}\n"
        for title, entries in sections(example)
    ]
    return "\n".join([HEAD, *parts, TAIL])


def sections(example: str) -> Iterator[tuple[str, list[Entry]]]:
    """The titles with the settings below each. Text above the first title is skipped."""
    _, *parts = TITLE.split(example)
    for title, body in zip(parts[::2], parts[1::2], strict=True):
        yield title, list(_entries(body))


def _entries(body: str) -> Iterator[Entry]:
    entry = Entry("")
    for line in body.splitlines():
        if assignment := ASSIGNMENT.fullmatch(line):
            entry.values[assignment[1]] = assignment[2]
        elif entry.values:
            yield entry
            entry = Entry(line.lstrip("# "))
        else:
            entry.meaning += " " + line.lstrip("# ")
    if entry.values:
        yield entry


def _row(entry: Entry) -> tuple[str, str, str]:
    defaults = [f"`{value}`" if value else "none" for value in entry.values.values()]
    texts = defaults if any(entry.values.values()) else defaults[:1]
    meaning = PAGE.sub(r"[\1](../\1)", entry.meaning)
    return codes(entry.values), ", ".join(texts), meaning
