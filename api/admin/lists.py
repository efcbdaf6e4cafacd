"""Pages of a list, without counting all of its rows."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from flask import request, url_for

MAX_TEXT_CHARS = 200
MAX_PAGE = 10_000


def text_argument(name: str) -> str:
    """Return a query parameter, cut to `MAX_TEXT_CHARS` characters and without NUL."""
    return request.args.get(name, "")[:MAX_TEXT_CHARS].replace("\0", "").strip()


class FetchedPages:
    """One page of a list, as the query parameter `page` says, and links to the pages beside it.

    `fetch` takes the number of the first row, from 0, and the number of rows. It is asked for one
    row more than a page has, which shows whether another page follows.
    """

    def __init__(self, fetch: Callable[[int, int], list[Any]], page_size: int) -> None:
        self._page = max(1, min(request.args.get("page", 1, type=int), MAX_PAGE))
        rows = fetch((self._page - 1) * page_size, page_size + 1)
        self.rows = rows[:page_size]
        self._has_more = len(rows) > page_size

    @property
    def previous_url(self) -> str | None:
        """The URL of the page before, or None."""
        return self._url(self._page - 1) if self._page > 1 else None

    @property
    def next_url(self) -> str | None:
        """The URL of the page after, or None."""
        return self._url(self._page + 1) if self._has_more else None

    def _url(self, page: int) -> str:
        arguments: dict[str, Any] = {**request.args.to_dict(), "page": page}
        return f"{url_for(request.endpoint or '')}?{urlencode(arguments)}"


class Pages(FetchedPages):
    """The pages of a query."""

    def __init__(self, query: Any, page_size: int) -> None:
        super().__init__(lambda first, limit: list(query.offset(first).limit(limit)), page_size)
