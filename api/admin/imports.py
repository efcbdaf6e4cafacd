"""The pages of imports: send a file, watch it, read its report, decide about it, find old ones."""

from collections.abc import Callable
from typing import Any, BinaryIO, cast
from uuid import UUID

from flask import Response as FlaskResponse
from flask import flash, redirect, url_for
from flask_admin import expose
from werkzeug.wrappers import Response

from api.access.auth import requires
from api.access.rate_limits import Quota, counted_as
from api.admin.filters import STATES
from api.admin.guard import signed_in_user
from api.admin.import_form import ImportForm
from api.admin.job_page import job_page
from api.admin.lists import Pages, text_argument
from api.admin.page import Page
from api.jobs.files import download_original, download_rejects
from api.jobs.jobs import job_or_404
from api.services import services
from shared.access.scopes import Scope
from shared.importing import follow_up
from shared.importing.errors import FilePurged, NotPossible, TooLarge
from shared.importing.submission import submit
from shared.jobs import jobs
from shared.jobs.models import Job
from shared.jobs.states import FINAL_STATES
from shared.jobs.status_document import describe
from shared.roll_file.errors import FileFault

PAGE_SIZE = 25
ORDERS = {
    "newest": "Newest first",
    "oldest": "Oldest first",
    "file": "File name",
    "rows": "Most rows first",
}
ORDERINGS = {
    "newest": Job.created_at.desc(),
    "oldest": Job.created_at.asc(),
    "file": Job.file_name.asc(),
    "rows": Job.rows_read.desc(),
}


class Imports(Page):
    """The history of imports, and the page of each."""

    name = "Imports"
    endpoint = "imports"
    url = "/admin/imports"
    scopes = (Scope.READ,)

    @expose("/")
    @requires(Scope.READ)
    def index(self) -> str:
        """Show one page of the imports that match."""
        filters = {name: text_argument(name) for name in ("q", "by", "state", "sort")}
        filters["sort"] = filters["sort"] if filters["sort"] in ORDERINGS else "newest"
        query = Job.select().order_by(ORDERINGS[filters["sort"]], Job.id)
        if filters["q"]:
            query = query.where(Job.file_name.contains(filters["q"]))
        if filters["by"]:
            query = query.where(Job.uploaded_by.contains(filters["by"]))
        if filters["state"]:
            query = query.where(Job.state == filters["state"])
        pages = Pages(query, PAGE_SIZE)
        return self.page(
            "imports.html",
            jobs=pages.rows,
            filters=filters,
            states=STATES,
            orders=ORDERS,
            previous_url=pages.previous_url,
            next_url=pages.next_url,
        )

    @expose("/<uuid:task_id>/")
    @requires(Scope.READ)
    def show(self, task_id: UUID) -> str:
        """Show one import: its progress, its outcome and the possible actions."""
        return self.page("import.html", **job_page(job_or_404(task_id), may_read_roll=True))

    @expose("/<uuid:task_id>/progress/")
    @requires(Scope.READ)
    def progress(self, task_id: UUID) -> dict[str, Any]:
        """Return the progress of an import to the page's script."""
        job = job_or_404(task_id)
        document = describe(job, may_read_roll=False)
        return {
            "state": job.state,
            "status": document["status"],
            "percent": document["progress"]["percent"],
            "is_final": job.state in FINAL_STATES,
        }

    @expose("/<uuid:task_id>/rejects.csv")
    @requires(Scope.READ)
    @counted_as(Quota.DOWNLOAD)
    def rejects(self, task_id: UUID) -> FlaskResponse:
        """Download the rejected rows, to fix them and to import the file as it is."""
        return download_rejects(job_or_404(task_id))

    @expose("/<uuid:task_id>/file")
    @requires(Scope.ADMIN)
    @counted_as(Quota.DOWNLOAD)
    def original(self, task_id: UUID) -> FlaskResponse:
        """Download the file as it was sent."""
        return download_original(job_or_404(task_id))

    @expose("/<uuid:task_id>/cancel/", methods=["POST"])
    @requires(Scope.IMPORT)
    def cancel(self, task_id: UUID) -> Response:
        """Cancel an import that has not ended."""
        if jobs.cancel(task_id, by=signed_in_user().name):
            flash("The import is cancelled. The roll is as it was before.", "success")
        else:
            flash("The import had already ended, so it was not cancelled.", "warning")
        return _to(task_id)

    @expose("/<uuid:task_id>/retry/", methods=["POST"])
    @requires(Scope.IMPORT)
    @counted_as(Quota.JOB)
    def retry(self, task_id: UUID) -> Response:
        """Import the file again after a failure or a cancellation."""
        return _follow(task_id, follow_up.retry)

    @expose("/<uuid:task_id>/preview/", methods=["POST"])
    @requires(Scope.IMPORT)
    @counted_as(Quota.JOB)
    def preview(self, task_id: UUID) -> Response:
        """Preview the file again, compared with the roll as it is now."""
        return _follow(task_id, follow_up.preview_again)

    @expose("/<uuid:task_id>/apply/", methods=["POST"])
    @requires(Scope.IMPORT)
    @counted_as(Quota.JOB)
    def apply(self, task_id: UUID) -> Response:
        """Apply a preview: import its file."""
        return _follow(task_id, follow_up.apply_preview)

    @expose("/<uuid:task_id>/resend/", methods=["POST"])
    @requires(Scope.IMPORT)
    @counted_as(Quota.REPORT)
    def resend(self, task_id: UUID) -> Response:
        """Send the report mail again."""
        if not services().settings.mail.recipients:
            flash("The setting ADMIN_EMAIL is empty, so the report has no recipient.", "warning")
        elif jobs.resend_report(task_id):
            flash("The report will be sent again in a moment.", "success")
        else:
            flash("The report still waits to be sent.", "warning")
        return _to(task_id)


class NewImport(Page):
    """The page to upload a file."""

    name = "Import a file"
    endpoint = "new_import"
    url = "/admin/import"
    scopes = (Scope.IMPORT,)

    @expose("/", methods=["GET", "POST"])
    @requires(Scope.IMPORT)
    @counted_as(Quota.JOB)
    def index(self) -> str | Response:
        """Show the form, and accept the file that it sends."""
        form = ImportForm()
        if form.validate_on_submit() and (task_id := _submit(form)):
            return _to(task_id)
        return self.page(
            "new_import.html", form=form, max_bytes=services().settings.max_upload_bytes
        )


def _submit(form: ImportForm) -> UUID | None:
    """Create the job of the file, or return None and put the reason at the form's field."""
    try:
        return submit(
            cast(BinaryIO, form.file.data.stream),
            form.file.data.filename,
            store=services().store,
            doorbell=services().doorbell,
            max_bytes=services().settings.max_upload_bytes,
            uploaded_by=signed_in_user().name,
            dry_run=form.intent.data == "preview",
            options=form.options(),
        )
    except FileFault as fault:
        form.file.errors = (fault.message,)
    except TooLarge:
        form.file.errors = ("The file is larger than the service accepts.",)
    return None


def _follow(task_id: UUID, follow: Callable[..., UUID]) -> Response:
    job = job_or_404(task_id)
    try:
        new_id = follow(job, uploaded_by=signed_in_user().name, doorbell=services().doorbell)
    except NotPossible as reason:
        flash(reason.message, "warning")
        return _to(task_id)
    except FilePurged:
        flash("The file was deleted after the retention time.", "warning")
        return _to(task_id)
    return _to(new_id)


def _to(task_id: UUID) -> Response:
    return redirect(url_for("imports.show", task_id=task_id))
