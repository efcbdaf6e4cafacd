"""Rejection of requests that the OpenAPI document does not describe.

A resource documents its parameters and bodies once, with its schemas. The rejections follow from
the document:

- 422 for a query parameter that is unknown or given twice
- 415 for a body of another type
- 406 for a response of another type
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Flask, request
from flask_smorest.spec.plugins import FlaskPlugin
from webargs.flaskparser import abort
from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_options_header

from api.rest.errors import SENTENCES

# The health checks are left out, because a platform may add anything to their requests.
PREFIXES = ("/api/", "/metrics")
# The page of Swagger UI is left out: users open it, and their links may carry anything.
UNHELD_BLUEPRINT = "docs"
JSON = "application/json"
MAX_NAMED = 10
MAX_NAME_CHARS = 100


@dataclass(frozen=True, slots=True)
class Terms:
    """What one operation accepts and returns: names of query parameters, media types."""

    parameters: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    consumes: tuple[str, ...] = ()
    produces: tuple[str, ...] = (JSON,)


def hold_to(app: Flask, document: Mapping[str, Any]) -> None:
    """Reject what the document does not describe. Call it after the credential check is set up."""
    terms = dict(_all_terms(app, document))

    def check() -> None:
        method = "GET" if request.method == "HEAD" else request.method
        term = terms.get((request.endpoint or "", method))
        if term is not None:
            _check_query(term)
            _check_body(term)
            _check_accept(term)

    app.before_request(check)


def _all_terms(app: Flask, document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], Terms]]:
    for rule in app.url_map.iter_rules():
        is_page = rule.endpoint.partition(".")[0] == UNHELD_BLUEPRINT
        if is_page or not rule.rule.startswith(PREFIXES):
            continue
        path = document["paths"].get(FlaskPlugin.flaskpath2openapi(rule.rule), {})
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield (rule.endpoint, method), _terms(document, path, path.get(method.lower()))


def _terms(document: Mapping[str, Any], path: Any, operation: Any) -> Terms:
    if operation is None:
        return Terms()
    parameters = [
        parameter
        for declaration in (*path.get("parameters", ()), *operation.get("parameters", ()))
        if (parameter := resolve(document, declaration))["in"] == "query"
    ]
    return Terms(
        frozenset(parameter["name"] for parameter in parameters),
        frozenset(
            parameter["name"]
            for parameter in parameters
            if parameter["schema"].get("type") == "array"
        ),
        tuple(operation.get("requestBody", {}).get("content", ())),
        tuple(
            media_type
            for status, answer in operation["responses"].items()
            if status.startswith("2")
            for media_type in resolve(document, answer).get("content", ())
        ),
    )


def resolve(document: Any, node: Any) -> Any:
    """Return the node itself, or the target of its reference within the document."""
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        document = document[part]
    return document


def _check_query(terms: Terms) -> None:
    faults = {name: ["Unknown field."] for name in request.args if name not in terms.parameters}
    faults |= {
        name: ["Give it only once."]
        for name, values in request.args.lists()
        if len(values) > 1 and name in terms.parameters - terms.lists
    }
    if faults:
        listed_faults = {name[:MAX_NAME_CHARS]: faults[name] for name in list(faults)[:MAX_NAMED]}
        abort(
            HTTPStatus.UNPROCESSABLE_ENTITY, message=SENTENCES[422], errors={"query": listed_faults}
        )


def _check_body(terms: Terms) -> None:
    has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
    if not terms.consumes or not has_body:
        return
    if request.mimetype not in terms.consumes:
        mimetypes = "` or `".join(terms.consumes)
        abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, message=f"Send the body as `{mimetypes}`.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        abort(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            message="Send the body without a Content-Encoding.",
            headers={"Accept-Encoding": "identity"},
        )


def _check_accept(terms: Terms) -> None:
    """Reject a header `Accept` that has none of the operation's types.

    The parameters of a media type (`;charset=utf-8`) make no difference here.
    """
    accept = MIMEAccept(
        [(parse_options_header(name)[0], quality) for name, quality in request.accept_mimetypes]
    )
    if accept and terms.produces and accept.best_match(terms.produces) is None:
        abort(
            HTTPStatus.NOT_ACCEPTABLE,
            message=f"{SENTENCES[406]} Ask for `{'` or `'.join(terms.produces)}`.",
        )
