"""One summary line per request: its route, never its address, which may hold a student id."""

import logging
import time

from flask import Flask, Response, g, request

logger = logging.getLogger(__name__)


def log_requests(app: Flask) -> None:
    """Log every request of the app. Call it first: the time of what follows counts."""
    app.before_request(_start)
    app.after_request(_summarise)


def _start() -> None:
    g.started = time.perf_counter()


def _summarise(response: Response) -> Response:
    token = g.get("token")
    logger.info(
        "request",
        extra={
            "method": request.method,
            "route": request.url_rule.rule if request.url_rule else "-",
            "status": response.status_code,
            "duration_ms": round(1000 * (time.perf_counter() - g.started), 1),
            # None for an answer that is made while it is sent, which measuring it would make at
            # once.
            "bytes": response.content_length,
            "token_id": token.id if token else None,
        },
    )
    return response
