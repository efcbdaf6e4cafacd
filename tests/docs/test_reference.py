"""docs/reference/ is what `make reference` writes, and it is complete."""

import re

import pytest
from flask import Flask

from config.settings import PROJECT_ROOT
from dev.reference.commands import own_commands
from dev.reference.pages import reference_pages
from tests.docs.test_docs import ENV_EXAMPLE, SETTINGS_READ

FOLDER = PROJECT_ROOT / "docs" / "reference"


def test_the_reference_is_what_the_code_says(app: Flask) -> None:
    written = {file.name: file.read_text(encoding="utf-8") for file in FOLDER.iterdir()}
    assert written == reference_pages(app), "`make reference` writes it anew"


def test_every_setting_is_explained(app: Flask) -> None:
    page = reference_pages(app)["settings.md"]
    rows = re.findall(r"^\| (`[A-Z].*?) \| (.+?) \| (.*?) \|$", page, re.MULTILINE)
    explained = {name for names, _, meaning in rows if meaning for name in names.split(", ")}
    assert explained == {f"`{name}`" for name in re.findall(r"^#([A-Z_]+)=", ENV_EXAMPLE, re.M)}
    assert [name for name in sorted(SETTINGS_READ) if not re.search(rf"\b{name}\b", page)] == []


@pytest.mark.parametrize("page", ["deploy.md", "webhook.md"])
def test_every_setting_that_a_page_names_is_read(page: str) -> None:
    text = (FOLDER.parent / page).read_text(encoding="utf-8")
    named = set(re.findall(r"`([A-Z][A-Z_]+_[A-Z_]+)(?:=[^`]*)?`", text))
    assert named
    assert named <= SETTINGS_READ | {"EMAIL_", "SSL_CERT_FILE"}


def test_every_command_address_and_parameter_is_there(app: Flask) -> None:
    pages = reference_pages(app)
    names = [name for name, _ in own_commands(app)]
    assert "import" in names
    assert [name for name in names if f"Usage: flask {name} " not in pages["commands.md"]] == []
    document = app.test_client().get("/api/openapi.json").get_json()
    assert [path for path in document["paths"] if f" `{path}`\n" not in pages["endpoints.md"]] == []
    upload = pages["endpoints.md"].partition("## POST `/api/upload/`")[2].partition("\n## ")[0]
    assert "Scope: `import`." in upload
    assert "| `expected_rows` | query | integer from 0 to 100,000,000 |" in upload
    assert "| 507 Insufficient Storage | `NO_ROOM` |" in upload
