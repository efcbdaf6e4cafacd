"""The home page: the roll at a glance."""

from flask_admin import expose

from api.access.auth import requires
from api.admin.page import Page
from shared.access.scopes import Scope
from shared.jobs.models import Job
from shared.jobs.states import FINAL_STATES, JobState
from shared.voters.summary import Group, Summary, summarise

SHOWN_DEPARTMENTS = 12
SHOWN_RUNNING = 10


class Home(Page):
    """The first page after signing in."""

    name = "Home"
    endpoint = "admin"
    url = "/admin"

    @expose()
    @requires(Scope.READ)
    def index(self) -> str:
        """Show the voters by department and year, the open jobs and the last import."""
        summary = summarise()
        return self.page(
            "home.html",
            summary=summary,
            departments=_departments(summary),
            years=[Group(_year(group), group.voters, group.eligible) for group in summary.by_year],
            running=_running_jobs(),
            last=_last_import(),
        )


def _departments(summary: Summary) -> list[Group]:
    """Return the largest departments, and all others as one group."""
    groups = [
        Group(group.name or "no department", group.voters, group.eligible)
        for group in summary.by_department[:SHOWN_DEPARTMENTS]
    ]
    voters = summary.voters - sum(group.voters for group in groups)
    eligible = summary.eligible - sum(group.eligible for group in groups)
    return [*groups, Group("all others", voters, eligible)] if voters else groups


def _year(group: Group) -> str:
    return "unknown" if group.name is None else str(group.name)


def _running_jobs() -> list[Job]:
    query = Job.select().where(Job.state.not_in(list(FINAL_STATES)))
    return list(query.order_by(Job.created_at.desc()).limit(SHOWN_RUNNING))


def _last_import() -> Job | None:
    """Return the latest import that updated the roll."""
    last: Job | None = (
        Job.select()
        .where((Job.state == JobState.SUCCESS) & ~Job.dry_run)
        .order_by(Job.finished_at.desc())
        .first()
    )
    return last
