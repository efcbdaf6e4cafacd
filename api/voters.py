"""`GET /api/voters/`: look into the roll."""

import unicodedata
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Any

from flask_smorest import Blueprint
from flask_smorest.pagination import PaginationParameters
from marshmallow import RAISE, fields, post_load
from marshmallow.validate import OneOf, Range
from peewee import Expression, Field, Ordering
from webargs.flaskparser import abort

from api.auth import requires
from api.openapi import refuses
from api.query import PagedQuerySchema, page_of, storable
from api.schemas import VoterSchema, described
from shared.credentials import Scope
from shared.database import is_postgresql
from shared.voters.models import Voter

blueprint = Blueprint("Voters", __name__, url_prefix="/api/voters", description="The voter roll.")

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
SEARCHED = (Voter.student_id, Voter.first_name, Voter.last_name, Voter.email)
SORTABLE: dict[str, Field] = {
    "student_id": Voter.student_id,
    "last_name": Voter.last_name,
    "department": Voter.department,
    "year": Voter.year,
}
SORTS = [sign + name for name in SORTABLE for sign in ("", "-")]


class VoterQuerySchema(PagedQuerySchema):
    """What to look for. A parameter that is not known is refused, not ignored."""

    q = fields.String(
        validate=storable,
        metadata=described("Part of an id, a name or an e-mail address, in any case.", "okafor"),
    )
    department = fields.String(
        validate=storable, metadata=described("The whole name, as the roll has it.", "Physics")
    )
    year = fields.Integer(validate=Range(1, 12), metadata=described("Year of study.", 2))
    is_eligible = fields.Boolean(metadata=described("Whether the student may vote.", True))
    sort = fields.String(
        load_default="student_id",
        validate=OneOf(SORTS),
        metadata=described("A leading `-` turns the order round.", "last_name"),
    )

    @post_load
    def _normalise(self, parameters: dict[str, Any], **_: object) -> dict[str, Any]:
        """The text of the roll is NFC."""
        return {
            name: unicodedata.normalize("NFC", value) if isinstance(value, str) else value
            for name, value in parameters.items()
        }


@blueprint.route("/")
@requires(Scope.READ)
@refuses(blueprint, 401, 403, 422)
@blueprint.arguments(VoterQuerySchema, location="query", unknown=RAISE)
@blueprint.response(200, VoterSchema(many=True))
@blueprint.paginate(page_size=PAGE_SIZE, max_page_size=MAX_PAGE_SIZE)
def voters(parameters: dict[str, Any], pagination_parameters: PaginationParameters) -> list[Voter]:
    """List voters

    The header `X-Pagination` tells the total and the neighbouring pages.
    """
    sort = parameters.pop("sort")
    query = Voter.select()
    if conditions := list(_conditions(parameters)):
        query = query.where(*conditions)
    page = page_of(query.order_by(_order(sort), Voter.student_id), pagination_parameters)
    return list(page or ())


# An id may hold a slash, even two in a row.
@blueprint.route("/<path:student_id>/", merge_slashes=False)
@requires(Scope.READ)
@refuses(blueprint, 401, 403, 404)
@blueprint.response(200, VoterSchema)
def voter(student_id: str) -> Voter:
    """Show one voter"""
    wanted = unicodedata.normalize("NFC", student_id)
    found: Voter | None = None
    if "\0" not in wanted:
        found = Voter.get_or_none(Voter.student_id == wanted)
    if found is None:
        abort(404, message="The roll has no voter with this student id.")
    return found


def _conditions(parameters: dict[str, Any]) -> Iterator[Expression]:
    for name, value in parameters.items():
        if name != "q":
            yield getattr(Voter, name) == value
        elif value:
            yield _contains(value)


def _contains(text: str) -> Expression:
    """Peewee escapes the wildcards of LIKE. SQLite folds the case of ASCII letters only, so the
    usual ways to write the others are looked for one by one."""
    ways = {text} if is_postgresql() else {text, text.lower(), text.upper(), text.title()}
    return reduce(or_, (field.contains(way) for field in SEARCHED for way in sorted(ways)))


def _order(sort: str) -> Ordering:
    field = SORTABLE[sort.removeprefix("-")]
    # The databases do not agree where a year that is not known belongs.
    return field.desc(nulls="LAST") if sort.startswith("-") else field.asc(nulls="LAST")
