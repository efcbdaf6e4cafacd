"""`GET /api/task-status/<task_id>/`: the state of a job, immediately or after a wait."""

from typing import Any
from uuid import UUID

from flask import Response, after_this_request, request
from marshmallow import RAISE, Schema, fields
from marshmallow.validate import Range

from api.access.auth import caller, requires
from api.jobs.jobs import job_or_404
from api.jobs.long_poll import MAX_WAIT_SECONDS, wait_until
from api.jobs.task_schemas import TaskStatusSchema
from api.rest.blueprint import Blueprint
from api.rest.openapi import refuses
from api.rest.schemas import meaning
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.jobs.states import FINAL_STATES
from shared.jobs.status_document import describe

blueprint = Blueprint(
    "Task status", __name__, url_prefix="/api/task-status", description="What became of an upload."
)

RETRY_AFTER_SECONDS = "1"
RETRY_AFTER = {
    "description": "While `state` is not final: the number of seconds after which to ask again.",
    "schema": {"type": "integer", "example": 1},
}


class WaitQuerySchema(Schema):
    """How long the response may wait for news."""

    wait = fields.Integer(
        load_default=0,
        validate=Range(0, MAX_WAIT_SECONDS),
        metadata=meaning(
            "Wait up to this many seconds for a final `state`. With `If-None-Match`, wait"
            " for any change. A busy service answers earlier.",
            20,
        ),
    )


@blueprint.route("/<uuid:task_id>/")
@requires(Scope.READ, Scope.IMPORT)
@refuses(blueprint, 401, 403, 404)
@blueprint.etag
@blueprint.arguments(WaitQuerySchema, location="query", unknown=RAISE)
@blueprint.response(200, TaskStatusSchema, headers={"Retry-After": RETRY_AFTER})
def task_status(parameters: dict[str, int], task_id: UUID) -> dict[str, Any]:
    """Show the state of a job

    While `state` is not SUCCESS, FAILURE or REVOKED, ask again after the time in `Retry-After`.
    With `wait`, the service waits for news before it responds. With `If-None-Match`, it does not
    send an unchanged state again.
    """
    document = _read_status(task_id)

    def has_news() -> bool:
        nonlocal document
        document = _read_status(task_id)
        return _is_news(document)

    if parameters["wait"] and not _is_news(document):
        wait_until(has_news, parameters["wait"])
    if document["state"] not in FINAL_STATES:
        after_this_request(_ask_again)
    return document


def _read_status(task_id: UUID) -> dict[str, Any]:
    """Return the committed status, and hold no connection."""
    with database.connection_context():
        return describe(job_or_404(task_id), may_read_roll=caller().allows(Scope.READ))


def _is_news(document: dict[str, Any]) -> bool:
    if document["state"] in FINAL_STATES:
        return True
    return bool(request.if_none_match) and not blueprint.client_knows(document, TaskStatusSchema)


def _ask_again(response: Response) -> Response:
    response.headers["Retry-After"] = RETRY_AFTER_SECONDS
    return response
