"""One summary line per request. It has the route, never the URL, which may hold a student id."""

import logging
import time

from flask import Flask, Response, g, request

logger = logging.getLogger(__name__)


def log_requests(app: Flask) -> None:
    """Log every request of the app. Call it first, because the measured time begins here."""
    app.before_request(_start)
    app.after_request(_summarise)


def _start() -> None:
    g.start = time.perf_counter()


def _summarise(response: Response) -> Response:
    token = g.get("token")
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else "-",
            "status": response.status_code,
            "duration_ms": round(1000 * (time.perf_counter() - g.start), 1),
            # None for a streamed response, because its length is known only after it is generated.
            "bytes": response.content_length,
            "token_id": token.id if token else None,
        },
    )
    return response
