"""Swagger UI from the installed package. None of its files comes from the internet."""

from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, abort, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from api.rest.assets import asset as asset_of

blueprint = Blueprint("docs", __name__, template_folder="templates")

ASSETS_FOLDER = Path(flask_swagger_ui.__file__).parent / "dist"
ASSETS = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png")
ASSET_SECONDS = 3600


@blueprint.get("/")
def home() -> AnyResponse:
    """Redirect the bare URL to the documentation."""
    return redirect(url_for("docs.page"))


@blueprint.get("/api/docs/")
def page() -> str:
    """Return the page. Its script is a file, so the policy need not allow inline scripts."""
    return render_template("docs/swagger_ui.html")


@blueprint.get("/api/docs/start.js")
def start_script() -> Response:
    """Return the script that starts Swagger UI."""
    return asset_of(Path(__file__).parent / "static", "swagger_start.js", 0)


@blueprint.get("/api/docs/assets/<name>")
def asset(name: str) -> Response:
    """Return a file of Swagger UI."""
    if name not in ASSETS:
        abort(404)
    return asset_of(ASSETS_FOLDER, name, ASSET_SECONDS)
