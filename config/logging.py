"""Log lines: readable ones on a laptop, JSON ones for a machine.

A line has the text of the event, the fields of `extra`, and those of `config.log_context`. A
database driver quotes the row at fault under DETAIL, which may hold personal data.
`config.tracebacks` removes that part.
"""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from config.log_context import log_fields
from config.tracebacks import format_traceback

KNOWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class ReadableFormatter(logging.Formatter):
    """Readable lines: `12:00:00 INFO consumer.worker claimed a job job_id=... attempt=1`."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        fields = "".join(f" {name}={value}" for name, value in _extra(record).items())
        return super().formatMessage(record) + fields

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        return format_traceback(ei[1], ei[2])


class JsonFormatter(ReadableFormatter):
    """One JSON object per line, with the fields of `extra` at the top level."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: value for name, value in vars(record).items() if name not in KNOWN_ATTRIBUTES}
    return {**fields, **{name: value for name, value in log_fields().items() if name not in fields}}


def formatter(*, readable: bool) -> logging.Formatter:
    """Return the formatter for the lines of this service."""
    return ReadableFormatter() if readable else JsonFormatter()


def configure_logging(level: str, *, readable: bool) -> None:
    """Send every log line to standard error, as the platforms that run a Procfile expect."""
    output = logging.StreamHandler(sys.stderr)
    output.setFormatter(formatter(readable=readable))
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level)
    # Their INFO lines report every migration step and every heartbeat.
    for chatty in ("peewee", "amqp", "kombu", "openpyxl"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
