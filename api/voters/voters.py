"""`GET /api/voters/` and `.../summary/`: search the roll and count its voters."""

from typing import Any

from flask_smorest.pagination import PaginationParameters
from marshmallow import RAISE

from api.access.auth import requires
from api.rest.cursors import CursorBlueprint, CursorPage, refuse_page_number
from api.rest.openapi import refuses
from api.voters.cursors import cursor_to, place_behind
from api.voters.query_schemas import VoterQuerySchema
from api.voters.voter_schemas import SummarySchema, VoterSchema
from shared.access.scopes import Scope
from shared.voters.models import Voter
from shared.voters.queries import VoterFilter, place_of, total, voters_after, voters_at
from shared.voters.summary import Group, summarise

blueprint = CursorBlueprint(
    "Voters", __name__, url_prefix="/api/voters", description="The voter roll."
)

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


@blueprint.route("/")
@requires(Scope.READ)
@refuses(blueprint, 401, 403, 422)
@blueprint.arguments(VoterQuerySchema, location="query", unknown=RAISE)
@blueprint.response(200, VoterSchema(many=True))
@blueprint.paginate(page_size=PAGE_SIZE, max_page_size=MAX_PAGE_SIZE)
def voters(parameters: dict[str, Any], pagination_parameters: PaginationParameters) -> list[Voter]:
    """List voters

    The header `X-Pagination` has the total, the neighbouring pages, and in `next` the cursor of the
    next page. `Link` has the URL of that page. A numbered page costs more the further back it is.
    To read a large roll, begin with an empty `after` and follow the cursors: every page costs the
    same.
    """
    voter_filter, sort = parameters["voter_filter"], parameters["sort"]
    if "after" in parameters:
        return _page_by_cursor(voter_filter, sort, parameters["after"], pagination_parameters)
    return _numbered_page(voter_filter, sort, pagination_parameters)


def _page_by_cursor(
    voter_filter: VoterFilter, sort: str, after: str, pagination: PaginationParameters
) -> list[Voter]:
    refuse_page_number(pagination)
    page, cursor = page_after(voter_filter, sort, after, pagination.page_size)
    pagination.item_count = CursorPage(None, cursor)
    return page


def page_after(
    voter_filter: VoterFilter, sort: str, after: str, page_size: int
) -> tuple[list[Voter], str | None]:
    """Return the voters after a cursor, and the cursor of the next page, None on the last."""
    # The extra voter shows whether there is a next page.
    voters = voters_after(voter_filter, sort, place_behind(after, sort), page_size + 1)
    page = voters[:page_size]
    cursor = cursor_to(place_of(page[-1], sort), sort) if len(voters) > len(page) else None
    return page, cursor


def _numbered_page(
    voter_filter: VoterFilter, sort: str, pagination: PaginationParameters
) -> list[Voter]:
    first, size = pagination.first_item, pagination.page_size
    count = total(voter_filter)
    # A database fails on an offset that is too large.
    page = voters_at(voter_filter, sort, first, size) if first < count else []
    has_more = bool(page) and first + len(page) < count
    cursor = cursor_to(place_of(page[-1], sort), sort) if has_more else None
    pagination.item_count = CursorPage(count, cursor)
    return page


@blueprint.route("/summary/")
@requires(Scope.READ)
@refuses(blueprint, 401, 403)
@blueprint.response(200, SummarySchema)
def summary() -> dict[str, Any]:
    """Show the counts of the roll

    The response has totals, and counts by department and by year of study.
    """
    figures = summarise()
    return {
        "voters": figures.voters,
        "eligible": figures.eligible,
        "departments": figures.departments,
        "by_department": [_group("department", group) for group in figures.by_department],
        "by_year": [_group("year", group) for group in figures.by_year],
    }


def _group(name: str, group: Group) -> dict[str, Any]:
    return {name: group.name, "voters": group.voters, "eligible": group.eligible}
