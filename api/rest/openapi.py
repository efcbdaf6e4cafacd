"""The head of the OpenAPI document, and the errors of every view. The resources add the rest."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeVar

from api.rest.blueprint import Blueprint
from api.rest.errors import SENTENCES, error_answer
from api.rest.schemas import ErrorSchema

API_VERSION = "1"
DESCRIPTION = (
    "Election offices upload the registrar's CSV or Excel file. A worker turns it into a voter"
    " roll and\nreports what became of every row.\n\nClick **Authorize** and enter an API token."
    " A token has scopes: `read` to read the roll,\n`import` to upload files, `metrics` for"
    " monitoring, `admin` for everything.\n"
)
OPENAPI_CONFIG = {
    "API_TITLE": "Student Voter System",
    "API_VERSION": API_VERSION,
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/api",
    "API_SPEC_OPTIONS": {
        "info": {"description": DESCRIPTION},
        "components": {
            "securitySchemes": {
                "bearerAuth": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API token, as `flask create-token` prints it.",
                }
            }
        },
        "security": [{"bearerAuth": []}],
    },
}

View = TypeVar("View", bound=Callable[..., Any])


def refuses(blueprint: Blueprint, *statuses: int) -> Callable[[View], View]:
    """Document the errors of a view. It adds 429, 500 and 503, which every view may answer."""

    def document(view: View) -> View:
        for status in (*statuses, 429, 500, 503):
            add_response = blueprint.alt_response(
                status,
                schema=ErrorSchema,
                description=HTTPStatus(status).phrase,
                example=error_answer(HTTPStatus(status), SENTENCES[status])[0],
            )
            view = add_response(view)
        return view

    return document
