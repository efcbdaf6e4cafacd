"""`/api/voters/<student_id>/`: show one voter, correct it, and list the changes of its entry.

An id may hold a slash, even two in a row. An id may read like another URL of the API, such as
`summary` or `1/history`. The list shows such a voter: `GET /api/voters/?student_id=summary`.
"""

from http import HTTPStatus
from typing import Any, NoReturn

from flask_smorest.pagination import PaginationParameters
from webargs.flaskparser import abort

from api.access.auth import caller, requires
from api.rest.json_bodies import JsonBlueprint
from api.rest.openapi import refuses
from api.voters.change_schemas import VoterChangeSchema
from api.voters.voter_schemas import ChangeSchema, VoterSchema
from shared.access.scopes import Scope
from shared.database.connection import ANSWER_SECONDS, limit_lock_wait
from shared.jobs.status_document import rfc3339
from shared.roll_file.errors import TextTooLong
from shared.roll_file.fields import MAX_CHARS
from shared.roll_file.rows.text import compose
from shared.voters import history
from shared.voters.editing import edit
from shared.voters.history import Author
from shared.voters.models import Voter

blueprint = JsonBlueprint(
    "Voter", __name__, url_prefix="/api/voters", description="One voter of the roll."
)

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200


@blueprint.route("/<path:student_id>/", merge_slashes=False)
@blueprint.etag
@requires(Scope.READ)
@refuses(blueprint, 401, 403, 404)
@blueprint.response(200, VoterSchema)
def voter(student_id: str) -> Voter:
    """Show one voter

    The header `ETag` identifies this version of the entry. Send it as `If-None-Match`, and you get
    304 until the entry changes. Send it as `If-Match` with a correction.
    """
    return voter_or_404(student_id)


@blueprint.route("/<path:student_id>/", methods=["PATCH"], merge_slashes=False)
@blueprint.etag
@requires(Scope.ADMIN)
@refuses(blueprint, 400, 401, 403, 404, 412, 422, 428)
@blueprint.arguments(VoterChangeSchema)
@blueprint.response(200, VoterSchema)
def correct(change: dict[str, Any], student_id: str) -> Voter:
    """Correct one voter

    The entry must still be as `If-Match` says. The correction needs a reason, which goes into the
    history of the entry. You cannot change the student id.
    """
    # The request must not wait long for an import that holds the lock of the roll, in SQLite that
    # of the whole database.
    limit_lock_wait(ANSWER_SECONDS)
    voter = edit(
        voter_or_404(student_id).student_id,
        change["values"],
        author=Author(caller().name, change["reason"]),
        check=lambda voter: blueprint.check_etag(voter, VoterSchema),
    )
    if voter is None:
        _not_found()
    return voter


@blueprint.route("/<path:student_id>/history/", merge_slashes=False)
@requires(Scope.READ)
@refuses(blueprint, 401, 403, 404, 422)
@blueprint.response(200, ChangeSchema(many=True))
@blueprint.paginate(page_size=PAGE_SIZE, max_page_size=MAX_PAGE_SIZE)
def changes(student_id: str, pagination_parameters: PaginationParameters) -> list[dict[str, Any]]:
    """List the changes of one voter

    Newest first: what changed, when, by whom, why, and by which import.
    """
    voter = voter_or_404(student_id)
    count = history.count_changes(voter.student_id)
    pagination_parameters.item_count = count
    first = pagination_parameters.first_item
    if first >= count:
        return []
    page = history.changes(voter.student_id, first, pagination_parameters.page_size)
    return [_describe(change) for change in page]


def voter_or_404(student_id: str) -> Voter:
    """Return the voter of this id, in any normal form. Without one the request ends with 404."""
    try:
        key = compose(student_id, MAX_CHARS["student_id"])
    except TextTooLong:
        _not_found()
    voter: Voter | None = None
    # PostgreSQL rejects NUL, even in a comparison.
    if "\0" not in key:
        voter = Voter.get_or_none(Voter.student_id == key)
    return _not_found() if voter is None else voter


def _not_found() -> NoReturn:
    abort(HTTPStatus.NOT_FOUND, message="The roll has no voter with this student id.")


def _describe(change: history.Change) -> dict[str, Any]:
    return {
        "changed_at": rfc3339(change.changed_at),
        "changed_by": change.changed_by,
        "reason": change.reason,
        "job_id": None if change.job is None else str(change.job),
        "changes": change.differences,
    }
