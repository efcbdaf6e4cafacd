"""The page about the URLs of the API, from its OpenAPI document."""

from http import HTTPStatus
from typing import Any

from flask import Flask

from api.access.auth import PUBLIC_ENDPOINTS, UNMARKED
from api.rest.contract import resolve
from api.rest.document import endpoints_of, operations
from dev.reference.markdown import codes, table

HEAD = """\
# Endpoints of the API

Each endpoint with its scopes, its parameters, and the statuses of its answers with the
[codes](../codes.md) of their errors. A token needs one of the scopes. The scope `admin` allows
everything. [api.md](../api.md) says what the endpoints are for, and in which order you use them.
Swagger UI at `/api/docs/` shows every field. An error can have a more specific code of the same
status, such as `JOB_FINAL` instead of `CONFLICT`. `make reference` makes this page from the OpenAPI
document.
"""
COMMON = """\
Every endpoint that needs a token can also answer:
"""
Refusals = dict[str, str]


def endpoints_page(app: Flask) -> str:
    """The page, from the document that the application serves."""
    document = app.test_client().get("/api/openapi.json").get_json()
    common_refusals = _common_refusals(document)
    endpoints = endpoints_of(app)
    parts = [
        HEAD,
        COMMON,
        table(("status", "code"), map(_refusal_row, sorted(common_refusals.items()))),
        "",
    ]
    for path, method, operation in operations(document):
        endpoint = endpoints[path, method]
        parts.append(f"## {method.upper()} `{path}`\n")
        parts.append(_prose(app, endpoint, operation))
        parameters = (
            *document["paths"][path].get("parameters", ()),
            *operation.get("parameters", ()),
        )
        parts.extend(_parameters([resolve(document, parameter) for parameter in parameters]))
        parts.extend(_body(document, operation))
        parts.append(_answers(document, operation, common_refusals))
    return "\n".join(parts)


def _common_refusals(document: Any) -> Refusals:
    """The status and code of each error that all operations with a token share."""
    refusals_of_all = [
        _refusals(document, operation)
        for _, _, operation in operations(document)
        if operation.get("security") != []
    ]
    return {
        status: code
        for status, code in refusals_of_all[0].items()
        if all(refusals.get(status) == code for refusals in refusals_of_all)
    }


def _refusals(document: Any, operation: Any) -> Refusals:
    """The error codes of an operation, by status."""
    refusals = {}
    for status, answer in operation["responses"].items():
        content = resolve(document, answer).get("content", {}).get("application/json", {})
        if code := content.get("example", {}).get("errors", {}).get("code"):
            refusals[status] = code
    return refusals


def _prose(app: Flask, endpoint: str, operation: Any) -> str:
    scopes = getattr(app.view_functions[endpoint], "scopes", UNMARKED)
    needs = "none, it is public" if endpoint in PUBLIC_ENDPOINTS else codes(scopes, " or ")
    sentences = [f"{operation['summary']}.", operation.get("description", "")]
    return f"{' '.join(sentences).strip()}\n\nScope: {needs}.\n"


def _parameters(parameters: list[Any]) -> list[str]:
    if not parameters:
        return []
    rows = [
        (f"`{parameter['name']}`", parameter["in"], _kind(parameter["schema"]), _meaning(parameter))
        for parameter in parameters
    ]
    return [table(("parameter", "in", "kind", "meaning"), rows), ""]


def _meaning(parameter: Any) -> str:
    is_needed = parameter.get("required", False) and parameter["in"] != "path"
    return _explanation(parameter, is_needed=is_needed)


def _explanation(part: Any, *, is_needed: bool) -> str:
    return f"Required. {part['description']}" if is_needed else str(part["description"])


def _body(document: Any, operation: Any) -> list[str]:
    parts = []
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = resolve(document, content["schema"])
        required_names = schema.get("required", ())
        rows = [
            (f"`{name}`", _kind(field), _explanation(field, is_needed=name in required_names))
            for name, field in schema["properties"].items()
        ]
        parts += [f"Body: `{kind}`\n", table(("field", "kind", "meaning"), rows), ""]
    return parts


def _kind(schema: Any) -> str:
    """What a value may be, in the words of the OpenAPI document."""
    if choices := schema.get("enum"):
        return codes(repr(choice)[1:-1] for choice in choices if choice is not None)
    types = schema.get("type", "string")
    names = [types] if isinstance(types, str) else types
    text = " or ".join(name for name in names if name != "null")
    bounds = [
        f"{word} {schema[bound]:,}"
        for word, bound in (("from", "minimum"), ("to", "maximum"))
        if bound in schema
    ]
    return " ".join([f"{text} ({schema['format']})" if "format" in schema else text, *bounds])


def _answers(document: Any, operation: Any, common_refusals: Refusals) -> str:
    refusals = _refusals(document, operation)
    rows = []
    for status, answer in sorted(operation["responses"].items()):
        if status in refusals:
            if common_refusals.get(status) != refusals[status]:
                rows.append(_refusal_row((status, refusals[status])))
        else:
            kinds = codes(resolve(document, answer).get("content", {}))
            rows.append((_status(status), kinds or "no body"))
    return table(("status", "answer"), rows) + "\n"


def _refusal_row(refusal: tuple[str, str]) -> tuple[str, str]:
    status, code = refusal
    return _status(status), f"`{code}`"


def _status(status: str) -> str:
    return f"{status} {HTTPStatus(int(status)).phrase}"
