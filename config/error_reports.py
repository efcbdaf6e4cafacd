"""Error reports to Sentry, or to any server that accepts its envelopes, if SENTRY_DSN is set.

Only log lines of the level ERROR or above are sent. A report has the place in our code, the kind of
error and the fields of the line. Everything that may hold personal data is left out: the message of
the error, the variables of every frame, URLs, IP addresses, headers and bodies. The message may
quote a row.
"""

import atexit
import sys
from typing import Any

from config.log_context import log_fields
from config.version import version

FLUSH_SECONDS = 1.0


def report_errors(dsn: str) -> None:
    """Report the errors of this process from now on, in a thread that delays no one.

    Without a DSN the function imports nothing and does nothing.
    """
    if not dsn:
        return
    import sentry_sdk
    from sentry_sdk.integrations.logging import LoggingIntegration

    sentry_sdk.init(
        dsn=dsn,
        release=version(),
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[LoggingIntegration(level=None)],
        send_default_pii=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        before_send=_without_words,
    )
    atexit.register(flush_reports)


def flush_reports() -> None:
    """Send the reports that still wait, for at most a second."""
    if sentry_sdk := sys.modules.get("sentry_sdk"):
        sentry_sdk.flush(FLUSH_SECONDS)


def _without_words(event: Any, hint: object) -> Any:
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = ""
    event["tags"] = {**event.get("tags", {}), **log_fields()}
    return event
