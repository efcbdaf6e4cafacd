"""`GET /api/jobs/`: the uploaded files, their senders, and what became of each."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from flask import g
from flask_smorest.pagination import PaginationParameters
from marshmallow import RAISE
from peewee import Expression
from webargs.flaskparser import abort

from api.access.auth import caller, requires
from api.jobs.job_schemas import JobQuerySchema, JobSchema
from api.rest.blueprint import Blueprint
from api.rest.openapi import refuses
from api.rest.query import page_of
from shared.access.scopes import Scope
from shared.jobs import jobs
from shared.jobs.models import Job, OutboxEntry
from shared.jobs.outbox import entries_of
from shared.jobs.states import Channel
from shared.jobs.status_document import describe, rfc3339

blueprint = Blueprint("Jobs", __name__, url_prefix="/api/jobs", description="Uploaded files.")

PAGE_SIZE = 20
MAX_PAGE_SIZE = 100


@blueprint.route("/")
@requires(Scope.READ, Scope.IMPORT)
@refuses(blueprint, 401, 403, 422)
@blueprint.arguments(JobQuerySchema, location="query", unknown=RAISE)
@blueprint.response(200, JobSchema(many=True))
@blueprint.paginate(page_size=PAGE_SIZE, max_page_size=MAX_PAGE_SIZE)
def list_jobs(parameters: dict[str, Any], pagination_parameters: PaginationParameters) -> Any:
    """List the jobs

    Newest first.
    """
    query = Job.select().order_by(Job.created_at.desc(), Job.id)
    if not _sees_all_jobs():
        query = query.where(Job.uploaded_by == caller().name)
    for condition in _conditions(parameters):
        query = query.where(condition)
    page = list(page_of(query, pagination_parameters) or ())
    entries = entries_of(page)
    return [_describe(job, entries[job.id]) for job in page]


def _conditions(parameters: dict[str, Any]) -> Iterator[Expression]:
    for name, value in parameters.items():
        if name == "created_from":
            yield Job.created_at >= value
        elif name == "created_before":
            yield Job.created_at < value
        else:
            yield getattr(Job, name) == value


@blueprint.route("/<uuid:task_id>/")
@requires(Scope.READ, Scope.IMPORT)
@refuses(blueprint, 401, 403, 404)
@blueprint.response(200, JobSchema)
def show_job(task_id: UUID) -> dict[str, Any]:
    """Show one job"""
    return describe_job(job_or_404(task_id))


def job_or_404(task_id: UUID) -> Job:
    """Return the job of this id. If the caller can see none, the request ends here with 404."""
    job = visible_job(task_id)
    if job is None:
        abort(404, message="There is no job with this id.")
    return job


def visible_job(task_id: UUID) -> Job | None:
    """Return the job of this id, or None if the caller can see none.

    A caller who may only import sees no jobs of others.
    """
    job = jobs.find(task_id)
    if job is None or _sees_all_jobs() or job.uploaded_by == caller().name:
        return job
    return None


def _sees_all_jobs() -> bool:
    """Whether the caller may read: every role of a user may, and a token with the scope `read`."""
    return "token" not in g or caller().allows(Scope.READ)


def visible_origin(job: Job) -> UUID | None:
    """Return the id of the earlier job with the same bytes, if the caller can see that job."""
    return job.duplicate_of if job.duplicate_of and visible_job(job.duplicate_of) else None


def describe_job(job: Job) -> dict[str, Any]:
    """Return the whole job as JSON values."""
    return _describe(job, entries_of([job])[job.id])


def _describe(job: Job, entries: Mapping[str, OutboxEntry]) -> dict[str, Any]:
    return {
        **describe(job, may_read_roll=caller().allows(Scope.READ)),
        "uploaded_by": job.uploaded_by,
        "options": job.options,
        "duplicate_of": visible_origin(job),
        "preview_of": job.preview_of,
        "retry_of": job.retry_of,
        "cancelled_by": job.cancelled_by,
        "files_purged_at": rfc3339(job.files_purged_at),
        "report_mail": _outbox_entry(entries[Channel.MAIL]),
        "webhook": _outbox_entry(entries[Channel.WEBHOOK]),
    }


def _outbox_entry(entry: OutboxEntry) -> dict[str, Any]:
    return {
        "state": entry.state,
        "attempts": entry.attempts,
        "sent_at": rfc3339(entry.sent_at),
        "error": entry.error,
    }
