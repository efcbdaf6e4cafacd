"""`GET /api/voters/export.csv` and `.xlsx`: the roll, or a part of it, as a file."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from flask import Response
from marshmallow import RAISE
from webargs.flaskparser import abort

from api.access.auth import requires
from api.access.long_answers import long_answer
from api.access.rate_limits import Quota, counted_as
from api.rest.blueprint import Blueprint
from api.rest.downloads import CSV, XLSX, documented, download, is_head_only, note_handed_out
from api.rest.openapi import refuses
from api.voters.query_schemas import VoterFilterSchema
from shared.access.scopes import Scope
from shared.audit import Action
from shared.roll_file.fields import VoterRow
from shared.roll_file.writing.csv_export import MAX_SHEET_VOTERS, csv_blocks
from shared.voters.queries import VoterFilter, total
from shared.voters.snapshot import Snapshot

blueprint = Blueprint(
    "Voter exports", __name__, url_prefix="/api/voters", description="The roll as a file."
)

EVERYBODY = VoterFilter()
Write = Callable[[Iterable[VoterRow]], Iterator[bytes]]


@blueprint.route("/export.csv")
@requires(Scope.READ)
@counted_as(Quota.DOWNLOAD)
@refuses(blueprint, 401, 403, 422, 507)
@blueprint.arguments(VoterFilterSchema, location="query", unknown=RAISE)
@blueprint.doc(
    responses=documented(CSV, "CSV in UTF-8 with a byte order mark, sorted by student id.")
)
def export_csv(parameters: dict[str, Any]) -> Response:
    """Download voters as CSV

    All voters are from one moment. A value that a spreadsheet program would run or change has an
    apostrophe in front. The empty column `_disarmed` marks this for an import, so the file reads
    back unchanged.
    """
    return download_csv(parameters["voter_filter"])


@blueprint.route("/export.xlsx")
@requires(Scope.READ)
@counted_as(Quota.DOWNLOAD)
@refuses(blueprint, 401, 403, 422, 507)
@blueprint.arguments(VoterFilterSchema, location="query", unknown=RAISE)
@blueprint.doc(responses=documented(XLSX, "A workbook whose cells are text, sorted by student id."))
def export_xlsx(parameters: dict[str, Any]) -> Response:
    """Download voters as a workbook

    The content is as in the CSV file, with at most 1,048,575 voters. Excel accepts no more.
    """
    return download_xlsx(parameters["voter_filter"])


def download_csv(voter_filter: VoterFilter) -> Response:
    """Return the voters as a CSV file."""
    return long_answer(lambda: _download(voter_filter, csv_blocks, CSV, "csv"))


def download_xlsx(voter_filter: VoterFilter) -> Response:
    """Return the voters as a workbook. Too many for one sheet end the request with 422."""
    # Nothing else in the web processes needs openpyxl.
    from shared.roll_file.writing.xlsx_export import xlsx_blocks

    if total(voter_filter) > MAX_SHEET_VOTERS:
        message = (
            f"A sheet holds at most {MAX_SHEET_VOTERS:,} voters. Choose fewer, or export a CSV"
            " file."
        )
        abort(422, message=message)
    return long_answer(lambda: _download(voter_filter, xlsx_blocks, XLSX, "xlsx"))


def _download(voter_filter: VoterFilter, write: Write, mimetype: str, extension: str) -> Response:
    name = f"voters-{datetime.now(UTC):%Y-%m-%d}.{extension}"
    if is_head_only():
        return download(b"", mimetype, name)
    note_handed_out(Action.EXPORT, detail=_detail(voter_filter, extension))
    snapshot = Snapshot(voter_filter)
    response = download(write(snapshot.rows()), mimetype, name)
    response.call_on_close(snapshot.close)
    return response


def _detail(voter_filter: VoterFilter, extension: str) -> str:
    """Return the kind of file and the names of the filters, never their values.

    A value may be the name of a person.
    """
    values = asdict(voter_filter)
    filters = [name for name, value in values.items() if value != asdict(EVERYBODY)[name]]
    return f"{extension}, by {', '.join(filters)}" if filters else f"{extension}, the whole roll"
