"""The page of the audit table: who did what, when and from where."""

from collections.abc import Iterator
from datetime import date, datetime, time

from flask import request, url_for
from flask_admin import expose

from api.access.auth import requires
from api.admin.lists import Pages, text_argument
from api.admin.page import Page
from api.audit.audit import entries
from shared.access.scopes import Scope
from shared.audit import Action, AuditEntry, Outcome

PAGE_SIZE = 50
TO_A_JOB = frozenset(
    {
        Action.UPLOAD,
        Action.APPLY,
        Action.RETRY,
        Action.CANCEL,
        Action.RESEND_REPORT,
        Action.IMPORT,
        Action.PURGE,
        Action.VIEW_FILE,
        Action.VIEW_REJECTS,
    }
)


class Audit(Page):
    """The audit table."""

    name = "Audit"
    endpoint = "audit"
    url = "/admin/audit"
    scopes = (Scope.ADMIN,)

    @expose("/")
    @requires(Scope.ADMIN)
    def index(self) -> str:
        """Show one page of the entries that match."""
        filters = {name: text_argument(name) for name in ("action", "outcome", "actor", "subject")}
        days = {name: _day(name) for name in ("since", "until")}
        used_filters = {name: text for name, text in filters.items() if text}
        pages = Pages(entries({**used_filters, **dict(_times(days))}), PAGE_SIZE)
        return self.page(
            "audit.html",
            entries=[(entry, _link_of(entry)) for entry in pages.rows],
            filters=filters,
            days=days,
            actions=list(Action),
            outcomes=list(Outcome),
            previous_url=pages.previous_url,
            next_url=pages.next_url,
        )


def _day(name: str) -> date | None:
    return request.args.get(name, type=date.fromisoformat)


def _times(days: dict[str, date | None]) -> Iterator[tuple[str, datetime]]:
    """Yield the first moment of the first day and the last moment of the last day."""
    if since := days["since"]:
        yield "since", datetime.combine(since, time.min)
    if until := days["until"]:
        yield "until", datetime.combine(until, time.max)


def _link_of(entry: AuditEntry) -> str | None:
    """Return the URL of the page for the subject. Only jobs and voters have one."""
    if entry.action in TO_A_JOB:
        return url_for("imports.show", task_id=entry.subject)
    if entry.action == Action.EDIT:
        return url_for("voters.show", id=entry.subject)
    return None
