"""Lists with a cursor, besides Flask-Smorest's numbered pages.

A numbered page counts the list and skips all entries before it. A cursor names the place where the
last page ended, so each page costs the same.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import request
from flask_smorest.pagination import PaginationMetadataSchema, PaginationParameters
from marshmallow import fields
from webargs.flaskparser import abort

from api.rest.blueprint import Blueprint

MAX_CURSOR_CHARS = 2_000
NEXT_LINK = "The URL of the next page by cursor. Absent on the last page (RFC 8288)."


class CursorMetadataSchema(PaginationMetadataSchema):  # type: ignore[misc]
    """Flask-Smorest's counts, which a page by cursor does not have, and the next cursor."""

    next = fields.String(
        metadata={"description": "The value of `after` for the next page. Absent on the last page."}
    )


class CursorPage:
    """The content of `X-Pagination` and `Link`. `total` is None if nothing was counted."""

    def __init__(self, total: int | None, next_cursor: str | None) -> None:
        self.total = total
        self.next_cursor = next_cursor


class CursorBlueprint(Blueprint):
    """A blueprint whose paginated views put a `CursorPage` into `item_count`."""

    def _set_pagination_metadata(
        self, page_params: PaginationParameters, result: Any, headers: Mapping[str, str] | None
    ) -> tuple[Any, dict[str, str]]:
        page: CursorPage = page_params.item_count
        metadata: dict[str, object] = {}
        if page.total is not None:
            metadata = self._make_pagination_metadata(
                page_params.page, page_params.page_size, page.total
            )
        new_headers = dict(headers or {})
        if page.next_cursor is not None:
            metadata["next"] = page.next_cursor
            new_headers["Link"] = f'<{_address_after(page.next_cursor)}>; rel="next"'
        new_headers[self.PAGINATION_HEADER_NAME] = json.dumps(metadata)
        return result, new_headers

    def _document_pagination_metadata(self, spec: Any, resp_doc: dict[str, Any]) -> None:
        resp_doc.setdefault("headers", {}).update(
            {
                self.PAGINATION_HEADER_NAME: {
                    "description": "The pages of the list.",
                    "content": {"application/json": {"schema": CursorMetadataSchema}},
                },
                "Link": {
                    "description": NEXT_LINK,
                    "schema": {
                        "type": "string",
                        "example": f'<{self.url_prefix}/?page_size=50&after=WyJz>; rel="next"',
                    },
                },
            }
        )


def refuse_page_number(pagination: PaginationParameters) -> None:
    """Reject with 422 a request that names a page as well as a cursor, which is a place already."""
    if pagination.page != 1:
        abort(422, messages={"query": {"after": ["Give `page` or `after`, not both."]}})


def _address_after(cursor: str) -> str:
    pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in ("page", "after")]
    query = urlencode([*pairs, ("after", cursor)])
    return f"{request.script_root}{request.path}?{query}"
