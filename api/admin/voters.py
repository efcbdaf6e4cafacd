"""The pages of the roll: find voters, export them, correct one, see the history of an entry."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import Response as FlaskResponse
from flask import flash, redirect, request, url_for
from flask_admin import expose
from marshmallow import ValidationError
from webargs.flaskparser import abort
from werkzeug.wrappers import Response

from api.access.auth import requires
from api.access.rate_limits import Quota, counted_as
from api.admin.guard import signed_in_user
from api.admin.lists import FetchedPages
from api.admin.page import Page
from api.admin.voter_form import EntryChanged, VoterForm, form_of
from api.voters.exports import download_csv, download_xlsx
from api.voters.query_schemas import VoterQuerySchema
from api.voters.voter import voter_or_404
from api.voters.voters import page_after
from shared.access.scopes import Scope
from shared.database.connection import ANSWER_SECONDS, limit_lock_wait
from shared.roll_file.rows.cells import MAX_YEAR, MIN_YEAR
from shared.voters import history
from shared.voters.editing import edit
from shared.voters.history import Author
from shared.voters.models import Voter
from shared.voters.summary import summarise

PAGE_SIZE = 50
CHANGES_SHOWN = 20
FILTERS = ("q", "department", "year", "is_eligible", "sort")
ORDERS = {
    "student_id": "Student id",
    "-student_id": "Student id, last first",
    "last_name": "Last name",
    "-last_name": "Last name, last first",
    "department": "Department",
    "-department": "Department, last first",
    "year": "Year",
    "-year": "Year, highest first",
}


class Voters(Page):
    """The list of voters, and the page of each."""

    name = "Voters"
    endpoint = "voters"
    url = "/admin/voters"
    scopes = (Scope.READ,)

    @expose("/")
    @requires(Scope.READ)
    def index(self) -> str:
        """Show one page of the voters that match. Only the voters of the whole roll are counted."""
        query = _query()
        filters = _used_arguments(*FILTERS)
        after = request.args.get("after", "")
        voters, cursor = page_after(query["voter_filter"], query["sort"], after, PAGE_SIZE)
        return self.page(
            "voters.html",
            voters=voters,
            voter_filter=query["voter_filter"],
            sort=query["sort"],
            filters=filters,
            orders=ORDERS,
            figures=summarise(),
            years=range(MIN_YEAR, MAX_YEAR + 1),
            first_url=_list_url(filters) if after else None,
            next_url=_list_url({**filters, "after": cursor}) if cursor else None,
        )

    @expose("/export.csv")
    @requires(Scope.READ)
    @counted_as(Quota.DOWNLOAD)
    def export_csv(self) -> FlaskResponse:
        """Download the voters that match as a CSV file."""
        return download_csv(_query()["voter_filter"])

    @expose("/export.xlsx")
    @requires(Scope.READ)
    @counted_as(Quota.DOWNLOAD)
    def export_xlsx(self) -> FlaskResponse:
        """Download the voters that match as a workbook."""
        return download_xlsx(_query()["voter_filter"])

    @expose("/voter/")
    @requires(Scope.READ)
    def show(self) -> str:
        """Show one voter. The id is a query parameter, because it may contain slashes."""
        voter = _voter()
        return self._voter_page(voter, form_of(voter))

    @expose("/voter/", methods=["POST"])
    @requires(Scope.ADMIN)
    def correct(self) -> str | Response | tuple[str, int]:
        """Change the entry, unless it has changed since the form showed it."""
        voter, form = _voter(), VoterForm()
        if not form.validate() or (change := form.change(voter)) is None:
            return self._voter_page(voter, form)
        # The request must not wait long for an import that holds the lock of the roll, in SQLite
        # that of the whole database.
        limit_lock_wait(ANSWER_SECONDS)
        author = Author(signed_in_user().name, change["reason"])
        try:
            edit(voter.student_id, change["values"], author=author, check=form.check)
        except EntryChanged:
            return self._not_saved(form)
        flash("The entry is corrected.", "success")
        return redirect(url_for(".show", id=voter.student_id))

    def _not_saved(self, form: VoterForm) -> tuple[str, int]:
        """Answer 409 with the current entry, and with the values typed over an older one."""
        voter = _voter()
        rejected_values = [
            (form[name].label.text, text) for name, text in form.differences(voter).items()
        ]
        new_form = form_of(voter, reason=form.reason.data)
        return self._voter_page(
            voter, new_form, rejected_values=rejected_values, is_stale=True
        ), 409

    def _voter_page(self, voter: Voter, form: VoterForm, **values: Any) -> str:
        changes = FetchedPages(
            lambda first, limit: history.changes(voter.student_id, first, limit), CHANGES_SHOWN
        )
        return self.page("voter.html", voter=voter, form=form, changes=changes, **values)


def _list_url(parameters: Mapping[str, str]) -> str:
    return f"{url_for('.index')}?{urlencode(parameters)}"


def _used_arguments(*names: str) -> dict[str, str]:
    """Return these query parameters without the blank ones, which filter nothing."""
    arguments = {name: request.args.get(name, "").strip() for name in names}
    return {name: text for name, text in arguments.items() if text}


def _query() -> dict[str, Any]:
    """Parse the filters and the order of the URL as the API does. An invalid one ends with 422."""
    try:
        query: dict[str, Any] = VoterQuerySchema().load(_used_arguments(*FILTERS))
    except ValidationError as error:
        message = "A filter of this URL is not valid. Start again from the list."
        abort(422, message=message, messages={"query": error.messages})
    return query


def _voter() -> Voter:
    return voter_or_404(request.args.get("id", ""))
