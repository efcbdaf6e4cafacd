"""`POST /api/upload/`: accept a file and respond immediately."""

from typing import Any, BinaryIO, cast
from urllib.parse import urljoin

from flask import request, url_for
from marshmallow import EXCLUDE, RAISE
from webargs.flaskparser import abort
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from api.access.auth import caller, demand, requires
from api.access.rate_limits import Quota, counted_as
from api.jobs.jobs import job_or_404, visible_origin
from api.jobs.task_schemas import AcceptedSchema
from api.jobs.upload_schemas import UploadHeaderSchema, UploadQuerySchema
from api.middleware.errors import FormTooLarge
from api.rest.blueprint import Blueprint
from api.rest.openapi import refuses
from api.rest.schemas import STATUS_URL
from api.services import services
from shared.access.scopes import Scope
from shared.importing.errors import TooLarge
from shared.importing.options import ImportOptions
from shared.importing.submission import submit
from shared.jobs.models import Job

blueprint = Blueprint("Upload", __name__, url_prefix="/api/upload", description="Upload a roll.")

FIELD = "file"
# The multipart frame around the file may add this much to the body.
FRAME_BYTES = 64 * 1024
UPLOAD_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [FIELD],
                "properties": {
                    FIELD: {
                        "type": "string",
                        "format": "binary",
                        "description": (
                            "The registrar's export: CSV, Excel (.xlsx, .xlsm, .xlsb, .xls) or"
                            " OpenDocument (.ods)."
                        ),
                    }
                },
            }
        }
    },
}
LOCATION = {
    "description": "The URL of the status.",
    "schema": {"type": "string", "format": "uri", "example": STATUS_URL},
}


@blueprint.route("/", methods=["POST"])
@requires(Scope.IMPORT)
@counted_as(Quota.JOB)
@refuses(blueprint, 400, 401, 403, 413, 415, 422, 507)
@blueprint.doc(requestBody=UPLOAD_BODY)
@blueprint.arguments(UploadQuerySchema, location="query", unknown=RAISE)
@blueprint.arguments(UploadHeaderSchema, location="headers", unknown=EXCLUDE)
@blueprint.response(202, AcceptedSchema, headers={"Location": LOCATION})
def upload(
    options: dict[str, Any], headers: dict[str, str]
) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Upload the registrar's file

    The service stores the file and a worker processes it. The response has the URL where you can
    ask for the outcome. The content decides whether the file is CSV or Excel, whatever its name
    says.
    """
    if options["dry_run"]:
        # A preview of one row reveals whether a person is on the roll, and leaves no trace there.
        demand(Scope.READ)
    file = _received_file()
    task_id = submit(
        cast(BinaryIO, file.stream),
        file.filename or "",
        store=services().store,
        doorbell=services().doorbell,
        max_bytes=services().settings.max_upload_bytes,
        uploaded_by=caller().name,
        dry_run=options.pop("dry_run"),
        options=ImportOptions.from_dict(options),
        idempotency_key=headers.get("idempotency_key"),
    )
    return accepted_response(job_or_404(task_id))


def accepted_response(job: Job) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Return the response to a request that has created a job: body, status and headers."""
    status_url = _absolute(url_for("Task status.task_status", task_id=job.id))
    body: dict[str, Any] = {
        "message": "File uploaded and processing started",
        "task_id": str(job.id),
        "status_url": status_url,
    }
    if origin := visible_origin(job):
        body["duplicate_of"] = str(origin)
    return body, 202, {"Location": status_url}


def read_form() -> None:
    """Read a form with a file. A large file goes to the disk.

    Raises `FormTooLarge` for a limit of the form, and `TooLarge` for a file above MAX_UPLOAD_BYTES.
    """
    request.max_content_length = services().settings.max_upload_bytes + FRAME_BYTES
    try:
        _ = request.files
    except FormTooLarge:
        raise
    except RequestEntityTooLarge as error:
        raise TooLarge from error


def _received_file() -> FileStorage:
    """Return the one file of the form. Any other form ends the request here with 400 or 422."""
    read_form()
    files = request.files.getlist(FIELD)
    if len(files) > 1:
        abort(400, message="Send one file at a time. Each file becomes a job of its own.")
    if not files or not files[0].filename:
        abort(
            400,
            message="There is no file in the request. Send it as multipart/form-data in the field"
            f" `{FIELD}`, for example with `curl -F {FIELD}=@roll.csv`.",
        )
    # A part without a name is an unknown field, too.
    if unknown := sorted(map(str, {*request.form, *request.files} - {FIELD})):
        # A client that sends `dry_run` as a form field must not start a real import.
        abort(
            422,
            message=f"The form has unknown fields: {', '.join(unknown)[:200]}. Options of an upload"
            " are query parameters.",
        )
    return files[0]


def _absolute(path: str) -> str:
    """Return the absolute URL of a path.

    PUBLIC_URL may have a path, under which a proxy serves this service. `urljoin` would drop that
    path.
    """
    public_url = services().settings.public_url
    return f"{public_url}{path}" if public_url else urljoin(request.url_root, path)
