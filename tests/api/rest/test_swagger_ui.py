"""The OpenAPI document describes what the API does, and Swagger UI works without the internet."""

import re
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import validate

from api.access.auth import is_page
from api.rest.error_codes import ApiCode
from tests.support.api_client import ApiClient

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
    """Follow a reference within the document, if the node is one."""
    if "$ref" not in node:
        return node
    for part in node["$ref"].removeprefix("#/").split("/"):
        document = document[part]
    return document


def test_every_address_of_the_api_is_documented(app: Flask, document: Any) -> None:
    rules = {
        re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if not rule.endpoint.startswith(("docs.", "api-docs.")) and not is_page(rule.rule)
    }
    assert set(document["paths"]) == rules


def test_every_reference_leads_somewhere(document: Any) -> None:
    for reference in re.findall(r"'\$ref': '([^']+)'", str(document)):
        assert resolve(document, {"$ref": reference})


def test_every_operation_has_a_summary_and_the_one_error_shape(document: Any) -> None:
    for path, method, operation in operations(document):
        assert operation["summary"], (path, method)
        statuses = set(operation["responses"])
        if path in PUBLIC_PATHS:
            continue
        assert {"400", "401", "403", "406", "414", "422", "431", "500", "503"} <= statuses, (
            path,
            method,
        )
        for status in sorted(statuses - {"200", "202", "304"}):
            answer = resolve(document, operation["responses"][status])
            content = answer["content"]["application/json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Error"}
            if "example" in content:
                assert content["example"]["code"] == int(status)


def test_everything_except_health_requires_the_bearer_token(document: Any) -> None:
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


def test_the_document_is_valid_openapi_3_1(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_the_swagger_ui_of_the_package_reads_openapi_3_1(app: Flask) -> None:
    with ApiClient(app, "").get("/api/docs/assets/swagger-ui-bundle.js") as bundle:
        script = bundle.get_data(as_text=True)
    version = re.search(r'PACKAGE_VERSION:"(\d+)\.', script)
    # Swagger UI supports OpenAPI 3.1 from version 5 on.
    assert version
    assert int(version[1]) >= 5


def test_every_field_is_described_with_an_example(document: Any) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field, property_ in schema["properties"].items():
            assert property_["description"].endswith("."), f"{name}.{field}"
            # A nested object has an example for each of its fields.
            is_nested = "$ref" in str(property_)
            assert is_nested or "example" in property_, f"{name}.{field}"


def test_every_parameter_is_described_with_an_example(document: Any) -> None:
    described = 0
    for path, _, operation in operations(document):
        given = (*operation.get("parameters", ()), *document["paths"][path].get("parameters", ()))
        for parameter in (resolve(document, reference) for reference in given):
            assert parameter["description"].endswith("."), (path, parameter["name"])
            assert "example" in parameter["schema"], (path, parameter["name"])
            described += 1
    assert described > 10


def test_every_header_and_body_is_described(document: Any) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            answer = resolve(document, answer)
            assert answer["description"], (path, method, status)
            for name, header in answer.get("headers", {}).items():
                header = resolve(document, header)
                assert header["description"], (path, method, name)
                assert "content" in header or "example" in header["schema"], (path, method, name)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            for name, property_ in resolve(document, content["schema"])["properties"].items():
                assert property_["description"], (path, method, name)


def test_every_operation_has_a_name_of_its_own(document: Any) -> None:
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)


def test_every_error_is_documented_with_an_example_that_is_one(document: Any) -> None:
    for path, method, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) < 400 or path in PUBLIC_PATHS:
                continue
            example = answer["content"]["application/json"]["example"]
            assert list(example) == ["code", "status", "message", "errors"], (path, method)
            assert example["code"] == int(status)
            assert example["errors"]["code"] in list(ApiCode)


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
