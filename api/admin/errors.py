"""The errors of the pages: the message of the API, shown as a page."""

from http import HTTPStatus

from flask import Response, render_template, request

from api.access.auth import is_page

TITLES = {
    400: "This form cannot be used",
    403: "You may not do this",
    404: "There is no such page",
    410: "The file is no longer there",
    411: "This form cannot be used",
    413: "The file is too large",
    422: "This cannot be understood",
    429: "Too often",
    500: "Something went wrong",
    503: "Please try again in a moment",
}


def as_page(response: Response) -> Response:
    """Replace the JSON of an error by a page if a user has asked, not the page's script.

    It makes no query, because the database may be the cause of the error.
    """
    is_for_a_person = is_page(request.path) and "text/html" in request.headers.get("Accept", "")
    if response.status_code < HTTPStatus.BAD_REQUEST or not is_for_a_person or not response.is_json:
        return response
    told = response.get_json()
    title = TITLES.get(response.status_code, HTTPStatus(response.status_code).phrase)
    response.set_data(render_template("pages/error.html", title=title, message=told["message"]))
    response.mimetype = "text/html"
    return response
