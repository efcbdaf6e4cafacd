"""What a platform asks: is the process alive, may it get requests."""

import logging
import threading
import time
from typing import Any

from flask import current_app
from kombu.exceptions import OperationalError as BrokerError
from marshmallow import fields
from marshmallow.validate import OneOf
from peewee import InterfaceError, OperationalError

from api.blueprint import Blueprint
from api.schemas import AnswerSchema, described
from api.services import services
from shared.database import database, pending_migrations
from shared.messages import consumer_connection
from shared.storage.store import StoreUnavailable

logger = logging.getLogger(__name__)

blueprint = Blueprint("Health", __name__, url_prefix="/health", description="For the platform.")

BROKER_SECONDS = 1.0
VERDICT_SECONDS = 1.0
EXTENSION = "student-voter-system-readiness"


class LiveSchema(AnswerSchema):
    """The process answers."""

    status = fields.String(metadata=described("Always the same.", "live"))


class ReadySchema(AnswerSchema):
    """Whether requests can be served, and why not."""

    status = fields.String(
        validate=OneOf(["ready", "not ready"]), metadata=described("The verdict.", "ready")
    )
    database = fields.String(
        validate=OneOf(["ok", "unreachable", "not migrated"]),
        metadata=described("Without it nothing works.", "ok"),
    )
    broker = fields.String(
        validate=OneOf(["ok", "unreachable"]),
        metadata=described("Without it workers find jobs a little later.", "ok"),
    )
    storage = fields.String(
        validate=OneOf(["ok", "unreachable"]),
        metadata=described("Without it no file can be uploaded, read or downloaded.", "ok"),
    )


@blueprint.route("/live")
@blueprint.doc(security=[])
@blueprint.response(200, LiveSchema)
def live() -> dict[str, str]:
    """Tell that the process answers"""
    return {"status": "live"}


@blueprint.route("/ready")
@blueprint.doc(security=[])
@blueprint.response(200, ReadySchema)
@blueprint.alt_response(503, schema=ReadySchema, description="Not ready.")
def ready() -> tuple[dict[str, str], int]:
    """Tell whether requests can be served

    A broker out of reach is told, and no reason to be not ready: uploads are accepted all the
    same. Neither is the upload store: all but the files can still be asked for.
    """
    verdict = _latest().verdict()
    return verdict, 200 if verdict["status"] == "ready" else 503


class _Latest:
    """The last verdict, good for a moment: strangers may ask, and a broker that is away takes a
    second. One thread at a time finds out; the others tell what it found before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._verdict: dict[str, str] = {}
        self._good_until = 0.0

    def verdict(self) -> dict[str, str]:
        """Waits for another thread only if there was no verdict yet."""
        if time.monotonic() >= self._good_until and self._lock.acquire(blocking=not self._verdict):
            try:
                if time.monotonic() >= self._good_until:
                    self._verdict = _find_out()
                    self._good_until = time.monotonic() + VERDICT_SECONDS
            finally:
                self._lock.release()
        return self._verdict


def _latest() -> _Latest:
    latest: _Latest = current_app.extensions.setdefault(EXTENSION, _Latest())
    return latest


def _find_out() -> dict[str, str]:
    state = _database_state()
    return {
        "status": "ready" if state == "ok" else "not ready",
        "database": state,
        "broker": "ok" if _broker_answers() else "unreachable",
        "storage": "ok" if _storage_answers() else "unreachable",
    }


def _database_state() -> str:
    try:
        with database.connection_context():
            return "not migrated" if pending_migrations() else "ok"
    except (OperationalError, InterfaceError) as error:
        logger.warning("database out of reach", extra={"error": type(error).__name__})
        return "unreachable"


def _broker_answers() -> bool:
    connection: Any = consumer_connection(services().settings.broker_url)
    with connection.clone(connect_timeout=BROKER_SECONDS) as probe:
        try:
            probe.ensure_connection(max_retries=1, timeout=BROKER_SECONDS)
        except (*probe.recoverable_connection_errors, BrokerError):
            return False
    return True


def _storage_answers() -> bool:
    try:
        services().store.check()
    except StoreUnavailable as error:
        logger.warning("upload store out of reach", extra={"reason": str(error)})
        return False
    return True
