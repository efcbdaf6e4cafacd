"""`GET /api/template.csv` and `.xlsx`: an empty file to fill in."""

from flask import Response

from api.access.auth import requires
from api.rest.blueprint import Blueprint
from api.rest.downloads import CSV, XLSX, documented, download
from api.rest.openapi import refuses
from shared.access.scopes import Scope

blueprint = Blueprint("Template", __name__, url_prefix="/api", description="A roll to fill in.")


@blueprint.route("/template.csv")
@requires(Scope.READ, Scope.IMPORT)
@refuses(blueprint, 401, 403)
@blueprint.doc(responses=documented(CSV, "UTF-8 with a byte order mark."))
def template_csv() -> Response:
    """Download an empty file as CSV

    The first lines explain the columns. Below the header is one example row, which you replace.
    """
    # Nothing else in the web processes needs openpyxl.
    from shared.roll_file.writing.template import csv_template

    return download(csv_template(), CSV, "voter-roll-template.csv")


@blueprint.route("/template.xlsx")
@requires(Scope.READ, Scope.IMPORT)
@refuses(blueprint, 401, 403)
@blueprint.doc(responses=documented(XLSX, "A sheet to fill in, and one that explains it."))
def template_xlsx() -> Response:
    """Download an empty file as a workbook

    The second sheet explains the columns. Below the header is one example row, which you replace.
    """
    from shared.roll_file.writing.template import xlsx_template

    return download(xlsx_template(), XLSX, "voter-roll-template.xlsx")
