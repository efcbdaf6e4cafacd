"""The complete OpenAPI document.

This module adds what every operation has in common, and the descriptions and examples that
Flask-Smorest leaves out.
"""

import json
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from flask import Flask, Response
from flask_smorest.spec.plugins import FlaskPlugin

from api.rest.contract import hold_to, resolve
from api.rest.error_codes import REFUSED_HEADS
from api.rest.errors import SENTENCES, ServiceApi, error_answer
from api.rest.schemas import TASK_ID, meaning

METHODS = ("get", "post", "put", "patch", "delete")
ETAG = '"1c3e4d2e9a5b"'
PARAMETERS = {
    "task_id": meaning("The id of the job, from the answer to the upload.", TASK_ID),
    "student_id": meaning("The registrar's id, as text.", "0012345"),
    "page": meaning("The number of the page, from 1.", 1),
    "page_size": meaning("The number of entries on a page.", 50),
    "If-None-Match": meaning(
        "The `ETag` of your last answer. The status is 304 if nothing has changed since.", ETAG
    ),
    "If-Match": meaning(
        "The `ETag` of what you have read. The status is 412 if it has changed since.", ETAG
    ),
}
PAGINATION = {
    "total": 120,
    "total_pages": 3,
    "first_page": 1,
    "last_page": 3,
    "page": 2,
    "previous_page": 1,
    "next_page": 3,
    "next": "WyJz",
}
COMMON_ERRORS = (400, 401, 403, 406, 422, 503)
EXAMPLES: dict[int, str] = {
    **SENTENCES,
    **REFUSED_HEADS,
    400: "The request broke off, or its body is framed wrongly. Nothing was stored. Send it again.",
    415: "Send the body as `application/json`.",
}


class DocumentedApi(ServiceApi):
    """An API that serves its complete document and rejects requests that do not follow it."""

    document: Any = None
    content = b""

    def finish(self, app: Flask) -> None:
        """Complete the document. Call it after all resources are registered."""
        self.document = complete(self.spec, app)
        self.content = app.json.dumps(self.document).encode()
        hold_to(app, self.document)

    def _openapi_json(self) -> Response:
        """Return the document, whose bytes all responses share.

        Flask-Smorest's view would make them for each request, and anonymous clients may leave them
        unread.
        """
        return Response(self.content, mimetype="application/json")


def complete(spec: APISpec, app: Flask) -> Any:
    """Return the whole document as plain JSON values."""
    document = json.loads(json.dumps(spec.to_dict()))
    endpoints = endpoints_of(app)
    _complete_components(document.get("components", {}))
    for path, method, operation in operations(document):
        operation["operationId"] = _operation_id(endpoints[path, method])
        _add_errors(operation)
        for parameter in operation.get("parameters", ()):
            _describe(resolve(document, parameter))
    for path_item in document["paths"].values():
        for parameter in path_item.get("parameters", ()):
            _describe(resolve(document, parameter))
    return document


def endpoints_of(app: Flask) -> dict[tuple[str, str], str]:
    """Return Flask's endpoint names by path and method, as the document writes them."""
    return {
        (FlaskPlugin.flaskpath2openapi(rule.rule), method.lower()): rule.endpoint
        for rule in app.url_map.iter_rules()
        for method in rule.methods or ()
    }


def operations(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield path, method and operation of everything that the document describes."""
    for path, path_item in document["paths"].items():
        for method in METHODS:
            if method in path_item:
                yield path, method, path_item[method]


def _operation_id(endpoint: str) -> str:
    resource, _, view = re.sub(r"[^a-z0-9.]+", "_", endpoint.lower()).partition(".")
    return view if view.startswith(resource) else f"{resource}_{view}"


def _add_errors(operation: Any) -> None:
    responses = operation["responses"]
    # Flask-Smorest's own texts have no example, and its `default` adds nothing.
    responses.pop("default", None)
    for status in [status for status, answer in responses.items() if "$ref" in answer]:
        if int(status) >= HTTPStatus.BAD_REQUEST:
            responses[status] = _error(int(status))
    is_held = operation.get("security") != []
    for status in (*REFUSED_HEADS, 500, *(COMMON_ERRORS if is_held else ())):
        responses.setdefault(str(int(status)), _error(status))
    if "requestBody" in operation:
        responses.setdefault("415", _error(415))


def _error(status: int) -> Any:
    return {
        "description": HTTPStatus(status).phrase,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Error"},
                "example": error_answer(HTTPStatus(status), EXAMPLES[status])[0],
            }
        },
    }


def _describe(parameter: Any) -> None:
    description = PARAMETERS.get(parameter["name"])
    if description is not None:
        parameter.setdefault("description", "")
        parameter["description"] = description["description"]
        parameter["schema"]["example"] = description["example"]


def _complete_components(components: Any) -> None:
    headers = components.get("headers", {})
    if "ETAG" in headers:
        headers["ETAG"]["schema"]["example"] = ETAG
    if "PAGINATION" in headers:
        # The header holds JSON, which a plain schema cannot express.
        schema = headers["PAGINATION"].pop("schema")
        headers["PAGINATION"]["content"] = {"application/json": {"schema": schema}}
    for schema in ("PaginationMetadata", "CursorMetadata"):
        metadata = components.get("schemas", {}).get(schema, {"properties": {}})
        for name, property_ in metadata["properties"].items():
            property_["example"] = PAGINATION[name]
