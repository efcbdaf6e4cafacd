"""The OpenAPI document says what the API does, and Swagger UI needs no internet."""

import re
from typing import Any

import pytest
from api_client import ApiClient
from flask import Flask

METHODS = ("get", "post", "put", "patch", "delete")
PUBLIC_PATHS = {"/health/live", "/health/ready"}


@pytest.fixture
def document(app: Flask) -> Any:
    return ApiClient(app, "").get("/api/openapi.json").get_json()


def operations(document: Any) -> list[tuple[str, str, Any]]:
    return [
        (path, method, path_item[method])
        for path, path_item in document["paths"].items()
        for method in METHODS
        if method in path_item
    ]


def resolve(document: Any, node: Any) -> Any:
    """Follow one reference within the document."""
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        document = document[part]
    return document


def test_every_address_of_the_api_is_documented(app: Flask, document: Any) -> None:
    rules = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith(("docs.", "api-docs."))
    }
    assert set(document["paths"]) == rules


def test_every_reference_leads_somewhere(document: Any) -> None:
    for reference in re.findall(r"'\$ref': '([^']+)'", str(document)):
        assert resolve(document, {"$ref": reference})


def test_every_operation_has_a_summary_and_its_errors_in_the_one_shape(document: Any) -> None:
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        statuses = set(operation["responses"])
        if path in PUBLIC_PATHS:
            continue
        assert {"401", "403", "500", "503"} <= statuses, (path, method)
        for status in sorted(statuses - {"200", "202", "304"}):
            answer = resolve(document, operation["responses"][status])
            content = answer["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Error"}
            if "example" in content:
                assert content["example"]["code"] == int(status)


def test_everything_demands_the_bearer_token_but_health(document: Any) -> None:
    assert document["security"] == [{"bearerAuth": []}]
    assert document["components"]["securitySchemes"]["bearerAuth"]["scheme"] == "bearer"
    for path, _, operation in operations(document):
        assert (operation.get("security") == []) == (path in PUBLIC_PATHS)


def test_the_upload_is_documented_as_a_file_to_choose(document: Any) -> None:
    upload = document["paths"]["/api/upload/"]["post"]
    form = upload["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["file"]["type"] == "string"
    assert form["properties"]["file"]["format"] == "binary"
    assert {"202", "400", "413", "415", "422", "507"} <= set(upload["responses"])
    assert "Location" in upload["responses"]["202"]["headers"]


def test_every_field_of_an_answer_is_described(document: Any) -> None:
    own = {
        name: schema
        for name, schema in document["components"]["schemas"].items()
        if name != "PaginationMetadata"
    }
    for name, schema in own.items():
        for field, described in schema["properties"].items():
            nested = "$ref" in described or "anyOf" in described or "allOf" in described
            assert nested or described["description"], f"{name}.{field}"


def test_the_page_and_all_it_loads_come_from_here(app: Flask) -> None:
    stranger = ApiClient(app, "")
    page = stranger.get("/api/docs/").get_data(as_text=True)
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(loaded) == 4
    for path in loaded:
        assert path.startswith("/")
        answer = stranger.get(path)
        assert answer.status_code == 200, path
        answer.close()
    assert "<script>" not in page


def test_the_bare_address_leads_to_the_page(app: Flask) -> None:
    assert ApiClient(app, "").get("/").headers["Location"] == "/api/docs/"
