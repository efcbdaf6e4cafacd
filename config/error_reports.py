"""Errors told to Sentry, or to whatever takes its envelopes, when SENTRY_DSN is set.

Only what is logged as an error goes there: where in our code it happened, which kind of error it
was, and the fields of its line. Left out is all that may hold personal data: the error's own
words, which may quote a row, the variables of every frame, addresses, headers and bodies.
"""

import atexit
from typing import Any

from config.log_context import log_fields
from config.version import version

FLUSH_SECONDS = 1.0


def report_errors(dsn: str) -> None:
    """Begin to report the errors of this process, from a thread that holds up nobody.

    Without a DSN nothing is imported and nothing happens.
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
    atexit.register(sentry_sdk.flush, FLUSH_SECONDS)


def _without_words(event: Any, hint: object) -> Any:
    for error in event.get("exception", {}).get("values", ()):
        error["value"] = ""
    event["tags"] = {**event.get("tags", {}), **log_fields()}
    return event
