"""`GET /api/audit/`: who did what, when and from where."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_smorest.pagination import PaginationParameters
from marshmallow import RAISE
from peewee import Expression, ModelSelect

from api.access.auth import requires
from api.audit.schemas import AuditEntrySchema, AuditQuerySchema
from api.rest.cursors import CursorBlueprint, CursorPage, refuse_page_number
from api.rest.openapi import refuses
from api.rest.query import page_of
from shared.access.scopes import Scope
from shared.audit import AuditEntry
from shared.jobs.status_document import rfc3339

blueprint = CursorBlueprint(
    "Audit", __name__, url_prefix="/api/audit", description="Who did what, when, from where."
)

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000


@blueprint.route("/")
@requires(Scope.ADMIN)
@refuses(blueprint, 401, 403, 422)
@blueprint.arguments(AuditQuerySchema, location="query", unknown=RAISE)
@blueprint.response(200, AuditEntrySchema(many=True))
@blueprint.paginate(page_size=PAGE_SIZE, max_page_size=MAX_PAGE_SIZE)
def list_entries(
    parameters: dict[str, Any], pagination_parameters: PaginationParameters
) -> list[dict[str, Any]]:
    """List the audit entries

    Newest first. The header `Link` has the URL of the next page by cursor. With cursors you meet no
    entry twice, even if new ones arrive meanwhile, and each page costs the same.
    """
    after = parameters.pop("after", None)
    query = entries(parameters)
    if after is None:
        page = _numbered_page(query, pagination_parameters)
    else:
        page = _page_by_cursor(query, after, pagination_parameters)
    return [describe(entry) for entry in page]


def entries(parameters: Mapping[str, Any]) -> "ModelSelect[AuditEntry]":
    """Return a query for the entries that match, newest first. See `AuditQuerySchema`."""
    query = AuditEntry.select().order_by(AuditEntry.id.desc())
    for condition in _conditions(parameters):
        query = query.where(condition)
    return query


def _conditions(parameters: Mapping[str, Any]) -> Iterator[Expression]:
    for name, value in parameters.items():
        if name == "since":
            yield AuditEntry.at >= value
        elif name == "until":
            yield AuditEntry.at < value
        else:
            yield getattr(AuditEntry, name) == value


def _page_by_cursor(
    query: "ModelSelect[AuditEntry]", after: str, pagination: PaginationParameters
) -> list[AuditEntry]:
    refuse_page_number(pagination)
    if after:
        query = query.where(AuditEntry.id < int(after))
    # The extra entry shows whether there is a next page.
    rows = list(query.limit(pagination.page_size + 1))
    page = rows[: pagination.page_size]
    has_more = len(rows) > len(page)
    pagination.item_count = CursorPage(None, _cursor_behind(page) if has_more else None)
    return page


def _numbered_page(
    query: "ModelSelect[AuditEntry]", pagination: PaginationParameters
) -> list[AuditEntry]:
    page = page_of(query, pagination)
    entries_of_page = [] if page is None else list(page)
    count = pagination.item_count
    has_more = bool(entries_of_page) and pagination.first_item + len(entries_of_page) < count
    pagination.item_count = CursorPage(count, _cursor_behind(entries_of_page) if has_more else None)
    return entries_of_page


def _cursor_behind(page: list[AuditEntry]) -> str:
    return str(page[-1].id)


def describe(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry as JSON values."""
    return {
        "id": entry.id,
        "at": rfc3339(entry.at),
        "actor_kind": entry.actor_kind,
        "actor": entry.actor,
        "address": entry.address,
        "action": entry.action,
        "subject": entry.subject,
        "outcome": entry.outcome,
        "detail": entry.detail,
    }
