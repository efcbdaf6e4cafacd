"""`POST /api/jobs/<task_id>/...`: cancel, retry, apply a preview, send the report again."""

from collections.abc import Callable
from typing import Any, NoReturn
from uuid import UUID

from webargs.flaskparser import abort

from api.access.auth import caller, demand, requires
from api.access.rate_limits import Quota, counted_as
from api.jobs.job_schemas import JobSchema, MailAgainSchema
from api.jobs.jobs import describe_job, job_or_404, visible_job
from api.jobs.task_schemas import AcceptedSchema
from api.jobs.upload import LOCATION, accepted_response
from api.rest.blueprint import Blueprint
from api.rest.error_codes import ApiCode
from api.rest.errors import SENTENCES
from api.rest.openapi import refuses
from api.services import services
from shared.access.scopes import Scope
from shared.importing import follow_up
from shared.importing.errors import FilePurged, NotPossible
from shared.jobs import jobs
from shared.jobs.states import FINAL_STATES

blueprint = Blueprint(
    "Job actions", __name__, url_prefix="/api/jobs", description="Actions on a job."
)

FollowUp = Callable[..., UUID]


@blueprint.route("/<uuid:task_id>/cancel/", methods=["POST"])
@requires(Scope.IMPORT)
@refuses(blueprint, 401, 403, 404, 409)
@blueprint.response(200, JobSchema)
def cancel(task_id: UUID) -> dict[str, Any]:
    """Cancel a job

    The roll stays as it is. A running job stops within a few seconds, and from now on it cannot
    change the roll.
    """
    job_or_404(task_id)
    if not jobs.cancel(task_id, by=caller().name):
        _conflict(ApiCode.JOB_FINAL, "This job has already ended, so it cannot be cancelled.")
    return describe_job(job_or_404(task_id))


@blueprint.route("/<uuid:task_id>/retry/", methods=["POST"])
@requires(Scope.IMPORT)
@counted_as(Quota.JOB)
@refuses(blueprint, 401, 403, 404, 409, 410)
@blueprint.response(202, AcceptedSchema, headers={"Location": LOCATION})
def retry(task_id: UUID) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Retry a failed or cancelled job

    A new job imports the same file with the same options. If the old job was to apply a preview,
    the same condition applies to the new one. To retry a preview, the token also needs the scope
    `read`. While the new job is open, and after it has succeeded, another request returns the same
    job.
    """
    return _follow(task_id, follow_up.retry)


@blueprint.route("/<uuid:task_id>/apply/", methods=["POST"])
@requires(Scope.IMPORT)
@counted_as(Quota.JOB)
@refuses(blueprint, 401, 403, 404, 409, 410)
@blueprint.response(202, AcceptedSchema, headers={"Location": LOCATION})
def apply(task_id: UUID) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Apply a preview

    A new job imports exactly the bytes of the preview, with the same options. If the roll has
    changed since the preview, the response is 409, because the import might do something else than
    the preview shows. While one job applies the preview, and after it has succeeded, another
    request returns the same job.
    """
    return _follow(task_id, follow_up.apply_preview)


@blueprint.route("/<uuid:task_id>/resend-report/", methods=["POST"])
@requires(Scope.IMPORT)
@counted_as(Quota.REPORT)
@refuses(blueprint, 401, 403, 404, 409)
@blueprint.response(202, MailAgainSchema)
def resend_report(task_id: UUID) -> dict[str, str]:
    """Send the report mail again"""
    job = job_or_404(task_id)
    if not services().settings.mail.recipients:
        _conflict(ApiCode.NO_RECIPIENT, "No ADMIN_EMAIL is set, so the report has no recipient.")
    if not jobs.resend_report(task_id):
        if job.state in FINAL_STATES:
            _conflict(ApiCode.REPORT_PENDING, "The report mail of this job still waits to be sent.")
        _conflict(
            ApiCode.JOB_NOT_FINAL, "This job has not ended yet. Its report is sent automatically."
        )
    return {"message": "The report mail will be sent again"}


def _follow(task_id: UUID, follow: FollowUp) -> tuple[dict[str, Any], int, dict[str, str]]:
    job = job_or_404(task_id)
    if job.dry_run and follow is follow_up.retry:
        demand(Scope.READ)
    try:
        new_id = follow(job, uploaded_by=caller().name, doorbell=services().doorbell)
    except NotPossible as reason:
        _conflict(reason.code, reason.message)
    except FilePurged:
        abort(410, message=SENTENCES[410])
    new_job = visible_job(new_id)
    if new_job is None:
        _conflict(ApiCode.FOLLOWED_BY_ANOTHER, "Another user or token has already done this.")
    return accepted_response(new_job)


def _conflict(code: str, message: str) -> NoReturn:
    abort(409, message=message, errors={"code": str(code)})
