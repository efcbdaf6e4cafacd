"""Public files: all answers share one copy in memory."""

from pathlib import Path

import pytest
from flask import Flask

from api.rest.swagger_ui import ASSETS_FOLDER
from tests.support.api_client import ApiClient

BUNDLE = "/api/docs/assets/swagger-ui-bundle.js"
STYLES = "/admin/assets/pages.css"


@pytest.fixture
def stranger(app: Flask) -> ApiClient:
    """A client without a credential."""
    return ApiClient(app, "")


@pytest.mark.parametrize(
    ("path", "mimetype"),
    [
        (BUNDLE, "text/javascript"),
        (STYLES, "text/css"),
        ("/admin/assets/icon.svg", "image/svg+xml"),
        ("/api/docs/start.js", "text/javascript"),
    ],
)
def test_an_asset_is_served_and_not_sent_twice(
    stranger: ApiClient, path: str, mimetype: str
) -> None:
    answer = stranger.get(path)
    assert (answer.status_code, answer.mimetype) == (200, mimetype)
    again = stranger.get(path, headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.get_data()) == (304, b"")


@pytest.mark.parametrize("path", [BUNDLE, "/api/openapi.json"])
def test_all_answers_share_the_bytes_of_a_public_file(app: Flask, path: str) -> None:
    def content() -> bytes:
        with app.test_request_context(path):
            [whole] = app.full_dispatch_request().iter_encoded()
        assert isinstance(whole, bytes)
        return whole

    assert content() is content()


def test_no_range_of_an_asset_is_copied(stranger: ApiClient) -> None:
    answer = stranger.get(BUNDLE, headers={"Range": "bytes=1-"})
    assert answer.status_code == 200
    assert answer.get_data() == (ASSETS_FOLDER / Path(BUNDLE).name).read_bytes()


@pytest.mark.parametrize("name", ["none.css", "../site.py", "%2e%2e/site.py", ""])
def test_no_other_file_is_an_asset(stranger: ApiClient, name: str) -> None:
    assert stranger.get(f"/admin/assets/{name}").status_code in (302, 404)
