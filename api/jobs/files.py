"""`GET /api/jobs/<task_id>/...`: the row faults, the rejects file and the uploaded file."""

from pathlib import Path
from typing import Any
from uuid import UUID

from flask import Response, send_file
from flask_smorest.pagination import PaginationParameters
from marshmallow import RAISE, fields
from marshmallow.validate import OneOf
from webargs.flaskparser import abort

from api.access.auth import requires
from api.access.long_answers import long_answer
from api.access.rate_limits import Quota, counted_as
from api.jobs.jobs import job_or_404
from api.jobs.report_schemas import RowErrorSchema
from api.rest.blueprint import Blueprint
from api.rest.downloads import CSV, documented, note_handed_out
from api.rest.errors import SENTENCES
from api.rest.openapi import refuses
from api.rest.query import PagedQuerySchema, page_of, storable
from api.rest.schemas import meaning
from api.services import services
from shared.access.scopes import Scope
from shared.audit import Action
from shared.jobs.models import Job, JobFault
from shared.roll_file.errors import RowCode
from shared.roll_file.formats import Format
from shared.storage.errors import FileLost

blueprint = Blueprint(
    "Job files", __name__, url_prefix="/api/jobs", description="Rejected rows and original files."
)

PAGE_SIZE = 50
MAX_PAGE_SIZE = 1000
BYTES = "application/octet-stream"
# A text may have any of these suffixes, and a workbook with one of them runs nothing automatically.
HARMLESS_SUFFIXES = frozenset({".txt", ".tsv", *(f".{format_}" for format_ in Format)})


class FaultQuerySchema(PagedQuerySchema):
    """Filters of the list of faults. An unknown parameter is rejected, not ignored."""

    code = fields.String(
        validate=OneOf(list(RowCode)),
        metadata=meaning("Only faults of this code.", RowCode.INVALID_EMAIL),
    )
    column = fields.String(
        validate=storable,
        metadata=meaning("Only faults of this column of the file.", "E-mail"),
    )


@blueprint.route("/<uuid:task_id>/errors/")
@requires(Scope.READ, Scope.IMPORT)
@refuses(blueprint, 401, 403, 404, 422)
@blueprint.arguments(FaultQuerySchema, location="query", unknown=RAISE)
@blueprint.response(200, RowErrorSchema(many=True))
@blueprint.paginate(page_size=PAGE_SIZE, max_page_size=MAX_PAGE_SIZE)
def errors(
    parameters: dict[str, str], task_id: UUID, pagination_parameters: PaginationParameters
) -> Any:
    """List the row faults of a job

    The faults are in the order of their lines. The service stores the first thousand faults of a
    job. The rejects file has them all.
    """
    job_or_404(task_id)
    query = JobFault.select().where(JobFault.job == task_id)
    for name, value in parameters.items():
        query = query.where(getattr(JobFault, name) == value)
    page = page_of(query.order_by(JobFault.number), pagination_parameters)
    return [] if page is None else page.dicts()


@blueprint.route("/<uuid:task_id>/rejects.csv")
@requires(Scope.READ, Scope.IMPORT)
@counted_as(Quota.DOWNLOAD)
@refuses(blueprint, 401, 403, 404, 410, 507)
@blueprint.doc(responses=documented(CSV, "UTF-8 with a byte order mark."))
def rejects(task_id: UUID) -> Response:
    """Download the rejects file

    It has the columns of the uploaded file, with `_line` and `_errors` added. Fix the rows and
    upload the file as it is. The import ignores the two added columns.
    """
    return download_rejects(job_or_404(task_id))


@blueprint.route("/<uuid:task_id>/file")
@requires(Scope.ADMIN)
@counted_as(Quota.DOWNLOAD)
@refuses(blueprint, 401, 403, 404, 410, 507)
@blueprint.doc(responses=documented(BYTES, "The file as it was uploaded."))
def original(task_id: UUID) -> Response:
    """Download the uploaded file

    The response has exactly the bytes that were sent.
    """
    return download_original(job_or_404(task_id))


def download_rejects(job: Job) -> Response:
    """Return the rejects file of a job as an attachment.

    Without rejected rows the request ends here with 404, and with 410 if they are deleted.
    """
    return _download(
        job,
        job.rejects_key,
        Action.VIEW_REJECTS,
        name=f"rejects-{job.id}.csv",
        mimetype=CSV,
        absent="This job has no rejected rows to download.",
    )


def download_original(job: Job) -> Response:
    """Return the uploaded file of a job as an attachment, as it was sent.

    Without the file the request ends here with 404, and with 410 if it is deleted.
    """
    return _download(
        job,
        job.file_key,
        Action.VIEW_FILE,
        name=_harmless_name(job),
        mimetype=BYTES,
        absent="The file of this job is no longer in the upload store.",
    )


def _harmless_name(job: Job) -> str:
    """Return the client's name of the file, with a suffix that opens in table programs only.

    A valid CSV file may also be a script, with a name such as `roll.hta`.
    """
    is_harmless = Path(job.file_name).suffix.lower() in HARMLESS_SUFFIXES
    return job.file_name if is_harmless else f"{job.file_name}.{job.format}"


def _download(
    job: Job, key: str | None, action: Action, *, name: str, mimetype: str, absent: str
) -> Response:
    """Return a stored file as an attachment, block by block."""
    if job.files_purged_at is not None:
        abort(410, message=SENTENCES[410])
    if not key:
        abort(404, message=absent)
    return long_answer(lambda: _open(job, key, action, name, mimetype, absent))


def _open(job: Job, key: str, action: Action, name: str, mimetype: str, absent: str) -> Response:
    note_handed_out(action, job.id)
    try:
        file = services().store.open(key)
    except FileLost:
        abort(404, message=absent)
    response = send_file(file, mimetype, as_attachment=True, download_name=name, etag=False)
    # Flask sets `no-cache`, which allows a browser to keep the file on its disk.
    response.headers["Cache-Control"] = "no-store"
    return response
