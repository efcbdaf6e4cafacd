"""The cursors of a list of voters. A cursor is a place in an order."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode

from webargs.flaskparser import abort

from shared.voters.queries import Place


def cursor_to(place: Place, sort: str) -> str:
    """Return the cursor of a place in an order."""
    content = json.dumps([sort, place.value, place.student_id], separators=(",", ":"))
    return urlsafe_b64encode(content.encode()).decode().rstrip("=")


def place_behind(cursor: str, sort: str) -> Place | None:
    """Return the place of a cursor, or None for an empty cursor: the start of the list.

    The request ends here with 422 if the text is not a cursor of this order.
    """
    if not cursor:
        return None
    place = _place_of(cursor, sort)
    if place is None:
        message = "Use the cursor of the page before, with the same `sort`."
        abort(422, messages={"query": {"after": [message]}})
    return place


def _place_of(cursor: str, sort: str) -> Place | None:
    try:
        content = urlsafe_b64decode(f"{cursor}{'=' * (-len(cursor) % 4)}")
        of_sort, value, student_id = json.loads(content.decode())
    # It is not base64, UTF-8 or JSON, or it has another number of values.
    except (ValueError, TypeError, RecursionError):
        return None
    place = Place(value, student_id)
    return place if of_sort == sort and _is_possible(place, sort) else None


def _is_possible(place: Place, sort: str) -> bool:
    """Whether a database can compare with the place."""
    if not _is_storable(place.student_id):
        return False
    if sort.endswith("year"):
        return place.value is None or (type(place.value) is int and abs(place.value) < 1000)
    return _is_storable(place.value)


def _is_storable(text: object) -> bool:
    # A lone surrogate (half a character) has no encoding.
    return (
        isinstance(text, str)
        and "\0" not in text
        and text == text.encode(errors="replace").decode()
    )
