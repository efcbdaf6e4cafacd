"""The pages for access: tokens of programs, and users with their roles."""

from flask import flash, redirect, request, url_for
from flask_admin import expose
from peewee import IntegrityError
from webargs.flaskparser import abort
from werkzeug.wrappers import Response

from api.access.auth import requires
from api.admin.access_forms import PersonForm, RoleForm, TokenForm
from api.admin.guard import person as signed_in
from api.admin.page import Page
from shared.access.errors import UnusableName
from shared.access.people import (
    ONE_TIME_DAYS,
    Role,
    all_people,
    invite_person,
    let_in,
    lock_out,
    reset_password,
    set_role,
)
from shared.access.scopes import Scope
from shared.access.tokens import Admin, ApiToken, all_tokens, create_token, revoke_token

# A database fails on a number that is too large to compare with a key.
ID = "<int(max=2147483647):{}>"
NAME_IS_TAKEN = "A token or a user has this name already. It may be revoked or deactivated."


class Tokens(Page):
    """The page of all tokens, including those that have expired or are revoked."""

    name = "Tokens"
    endpoint = "tokens"
    url = "/admin/tokens"
    scopes = (Scope.ADMIN,)

    @expose("/", methods=["GET", "POST"])
    @requires(Scope.ADMIN)
    def index(self) -> str:
        """Show the list and the form for a new token.

        Only the response to the form shows the token itself.
        """
        form = TokenForm()
        token = _created_token(form) if form.validate_on_submit() else None
        name = form.name.data if token else None
        form = TokenForm(formdata=None) if token else form
        return self.page("tokens.html", form=form, tokens=all_tokens(), token=token, name=name)

    @expose(f"/{ID.format('token_id')}/revoke/", methods=["POST"])
    @requires(Scope.ADMIN)
    def revoke(self, token_id: int) -> Response:
        """Revoke a token, so that no request with it is accepted any more."""
        token: ApiToken | None = ApiToken.get_or_none(ApiToken.id == token_id)
        if token is None:
            abort(404, message="There is no token with this id.")
        if revoke_token(token.name):
            flash(f"The token {token.name} is revoked.", "success")
        else:
            flash(f"The token {token.name} is revoked already.", "warning")
        return redirect(url_for(".index"))


class People(Page):
    """The page of all users, including those who are deactivated."""

    name = "Users"
    endpoint = "people"
    url = "/admin/people"
    scopes = (Scope.ADMIN,)

    @expose("/", methods=["GET", "POST"])
    @requires(Scope.ADMIN)
    def index(self) -> str:
        """Show the list and the form for a new user.

        Only the response to the form shows the one-time password.
        """
        form = PersonForm()
        if form.validate_on_submit() and (password := _password_of_new_person(form)):
            return self._people_page(PersonForm(formdata=None), form.name.data, password)
        return self._people_page(form)

    @expose(f"/{ID.format('person_id')}/role/", methods=["POST"])
    @requires(Scope.ADMIN)
    def change_role(self, person_id: int) -> Response:
        """Give a user another role, which applies immediately."""
        person, form = _person_or_404(person_id), RoleForm()
        if not form.validate():
            flash("Choose one of the roles.", "warning")
        elif set_role(person_id, Role(form.role.data)):
            flash(f"{person.username} is now {form.role.data}.", "success")
        else:
            flash(f"{person.username} is the last admin and must stay an admin.", "warning")
        return redirect(url_for(".index"))

    @expose(f"/{ID.format('person_id')}/lock-out/", methods=["POST"])
    @requires(Scope.ADMIN)
    def lock_out(self, person_id: int) -> Response:
        """Deactivate a user: end all sessions and allow no new one."""
        person = _person_or_404(person_id)
        if lock_out(person_id):
            flash(f"{person.username} is deactivated. All sessions have ended.", "success")
        elif person.disabled_at is not None:
            flash(f"{person.username} is deactivated already.", "warning")
        else:
            flash(f"{person.username} is the last admin and must stay an admin.", "warning")
        return redirect(url_for(".index"))

    @expose(f"/{ID.format('person_id')}/let-in/", methods=["POST"])
    @requires(Scope.ADMIN)
    def let_in(self, person_id: int) -> Response:
        """Reactivate a user who was deactivated."""
        person = _person_or_404(person_id)
        if let_in(person_id):
            flash(
                f"{person.username} is reactivated and can sign in with the old password.",
                "success",
            )
        else:
            flash(f"{person.username} is not deactivated.", "warning")
        return redirect(url_for(".index"))

    @expose(f"/{ID.format('person_id')}/reset-password/", methods=["GET", "POST"])
    @requires(Scope.ADMIN)
    def reset_password(self, person_id: int) -> str | Response:
        """Give a user a one-time password, which only this response shows."""
        person = _person_or_404(person_id)
        if request.method == "GET":
            return redirect(url_for(".index"))
        if person_id == signed_in().admin.id:
            flash("Change your own password here.", "warning")
            return redirect(url_for("account.index"))
        password = reset_password(person_id)
        return self._people_page(PersonForm(formdata=None), person.username, password)

    def _people_page(
        self, form: PersonForm, name: str | None = None, password: str | None = None
    ) -> str:
        """Render the list, with the one-time password of a user if there is one."""
        return self.page(
            "people.html",
            form=form,
            people=all_people(),
            roles=list(Role),
            name=name,
            password=password,
            days=ONE_TIME_DAYS,
        )


def _created_token(form: TokenForm) -> str | None:
    """Create the token, or return None and put the reason at the form's field."""
    try:
        return create_token(
            form.name.data, map(Scope, form.scopes.data), expires_at=form.expires_at
        )
    except UnusableName as unusable:
        form.name.errors = (str(unusable),)
    except IntegrityError:
        form.name.errors = (NAME_IS_TAKEN,)
    return None


def _password_of_new_person(form: PersonForm) -> str | None:
    """Create the user and return the one-time password.

    If the name cannot be used, returns None and puts the reason at the form's field.
    """
    try:
        return invite_person(form.name.data, Role(form.role.data))
    except UnusableName as unusable:
        form.name.errors = (str(unusable),)
    except IntegrityError:
        form.name.errors = (NAME_IS_TAKEN,)
    return None


def _person_or_404(person_id: int) -> Admin:
    found: Admin | None = Admin.get_or_none(Admin.id == person_id)
    if found is None:
        abort(404, message="There is no user with this id.")
    return found
