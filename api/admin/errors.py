"""The errors of the pages: the message of the API, shown as a page."""

from http import HTTPStatus

from flask import Response, render_template, request

from api.access.auth import is_page

TITLES = {
    400: "Invalid form",
    403: "No permission",
    404: "Page not found",
    410: "File no longer available",
    411: "Invalid form",
    413: "File too large",
    422: "Invalid request",
    429: "Too many requests",
    500: "Internal error",
    503: "Service unavailable",
}


def as_page(response: Response) -> Response:
    """Replace the JSON of an error by a page if a user has asked, not the page's script.

    It makes no query, because the database may be the cause of the error.
    """
    is_for_a_user = is_page(request.path) and "text/html" in request.headers.get("Accept", "")
    if response.status_code < HTTPStatus.BAD_REQUEST or not is_for_a_user or not response.is_json:
        return response
    error = response.get_json()
    title = TITLES.get(response.status_code, HTTPStatus(response.status_code).phrase)
    response.set_data(render_template("pages/error.html", title=title, message=error["message"]))
    response.mimetype = "text/html"
    return response
