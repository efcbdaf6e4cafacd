"""How many requests there were and how long they took, over all web processes.

Each process counts for itself. Under Gunicorn it counts in a file that the others can read, see
`config.gunicorn`. The labels are endpoints, methods and statuses. A URL is never a label, because
it may hold a student id, and the number of URLs has no limit.
"""

import time

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram

METHODS = frozenset({"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS"})
# A response takes milliseconds, a long poll half a minute, a large upload some minutes.
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 120.0)

REGISTRY = CollectorRegistry()
REQUESTS = Counter(
    "voters_http_requests",
    "Requests answered, by endpoint, method and status.",
    ("endpoint", "method", "status"),
    registry=REGISTRY,
)
DURATIONS = Histogram(
    "voters_http_request_duration_seconds",
    "Time from the header of a request to the header of its answer, by endpoint.",
    ("endpoint",),
    buckets=SECONDS,
    registry=REGISTRY,
)


def count_requests(app: Flask) -> None:
    """Count every request of the app. Call it after `log_requests`, which starts the clock."""
    app.after_request(_count)


def _count(response: Response) -> Response:
    endpoint = request.endpoint or "none"
    method = request.method if request.method in METHODS else "other"
    REQUESTS.labels(endpoint, method, response.status_code).inc()
    DURATIONS.labels(endpoint).observe(time.perf_counter() - g.start)
    return response
