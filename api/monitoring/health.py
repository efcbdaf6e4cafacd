"""The health checks of a platform: is the process alive, and may it receive requests."""

import threading
import time
from functools import partial
from typing import Any

from flask import current_app
from marshmallow import fields
from marshmallow.validate import OneOf

from api.monitoring.dependencies import UNKNOWN_WORKER, broker_state, database_state, storage_state
from api.monitoring.probes import Probe
from api.rest.blueprint import Blueprint
from api.rest.schemas import AnswerSchema, meaning, time_field
from api.services import services

blueprint = Blueprint("Health", __name__, url_prefix="/health", description="For the platform.")

DATABASE_SECONDS = 3.0
BROKER_SECONDS = 1.5
STORAGE_SECONDS = 3.0
VERDICT_SECONDS = 1.0
EXTENSION = "student-voter-system-readiness"


class LiveSchema(AnswerSchema):
    """The process responds."""

    status = fields.String(metadata=meaning("Always the same.", "live"))


class ReadySchema(AnswerSchema):
    """Whether the process can serve requests, and which other services respond."""

    status = fields.String(
        validate=OneOf(["ready", "not ready"]), metadata=meaning("The verdict.", "ready")
    )
    database = fields.String(
        validate=OneOf(["ok", "unreachable", "not migrated", "read-only"]),
        metadata=meaning(
            "Without the database nothing works. This is the only reason to be not ready.", "ok"
        ),
    )
    broker = fields.String(
        validate=OneOf(["ok", "unreachable"]),
        metadata=meaning("Without the broker, workers find jobs a little later.", "ok"),
    )
    storage = fields.String(
        validate=OneOf(["ok", "unreachable"]),
        metadata=meaning(
            "Without the upload store, no file can be uploaded, read or downloaded.", "ok"
        ),
    )
    worker = fields.String(
        validate=OneOf(["ok", "degraded", "none", "unknown"]),
        metadata=meaning(
            "Without a worker, the service accepts uploads and they wait. A degraded worker"
            " has a thread that fails.",
            "ok",
        ),
    )
    worker_seen_at = time_field("When a worker last reported, if the service still knows.")


@blueprint.route("/live")
@blueprint.doc(security=[])
@blueprint.response(200, LiveSchema)
def live() -> dict[str, str]:
    """Check that the process responds"""
    return {"status": "live"}


@blueprint.route("/ready")
@blueprint.doc(security=[])
@blueprint.response(200, ReadySchema)
@blueprint.alt_response(503, schema=ReadySchema, description="Not ready.")
def ready() -> tuple[dict[str, Any], int]:
    """Check whether the process can serve requests

    Only the database can make the process not ready. All web processes share the other services, so
    it would not help to remove each process from a load balancer.
    """
    verdict = _latest().verdict()
    return verdict, 200 if verdict["status"] == "ready" else 503


class _Latest:
    """The last verdict, valid for a moment.

    Anyone may ask, and the check of an unavailable broker takes a second. One thread at a time runs
    the checks. The other threads return the previous verdict.
    """

    def __init__(self, probes: list[Probe[dict[str, Any]]]) -> None:
        self._probes = probes
        self._lock = threading.Lock()
        self._verdict: dict[str, Any] = {}
        self._good_until = 0.0

    def verdict(self) -> dict[str, Any]:
        """Return the verdict. It waits for another thread only if there is no verdict yet."""
        if time.monotonic() >= self._good_until and self._lock.acquire(blocking=not self._verdict):
            try:
                if time.monotonic() >= self._good_until:
                    self._verdict = self._find_out()
                    self._good_until = time.monotonic() + VERDICT_SECONDS
            finally:
                self._lock.release()
        return self._verdict

    def _find_out(self) -> dict[str, Any]:
        for probe in self._probes:
            probe.start()
        answers = {
            name: answer for probe in self._probes for name, answer in probe.answer().items()
        }
        return {"status": "ready" if answers["database"] == "ok" else "not ready", **answers}


def _latest() -> _Latest:
    if EXTENSION not in current_app.extensions:
        current_app.extensions.setdefault(EXTENSION, _Latest(_probes()))
    latest: _Latest = current_app.extensions[EXTENSION]
    return latest


def _probes() -> list[Probe[dict[str, Any]]]:
    settings, store = services().settings, services().store
    return [
        Probe(
            database_state,
            seconds=DATABASE_SECONDS,
            otherwise={"database": "unreachable", **UNKNOWN_WORKER},
        ),
        Probe(
            partial(broker_state, settings.broker_url),
            seconds=BROKER_SECONDS,
            otherwise={"broker": "unreachable"},
        ),
        Probe(
            partial(storage_state, store),
            seconds=STORAGE_SECONDS,
            otherwise={"storage": "unreachable"},
        ),
    ]
