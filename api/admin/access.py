"""The pages for access: tokens of programs, and users with their roles."""

from flask import flash, redirect, request, url_for
from flask_admin import expose
from peewee import IntegrityError
from webargs.flaskparser import abort
from werkzeug.wrappers import Response

from api.access.auth import requires
from api.admin.access_forms import RoleForm, TokenForm, UserForm
from api.admin.guard import signed_in_user
from api.admin.page import Page
from shared.access.errors import UnusableName
from shared.access.models import ApiToken, User
from shared.access.scopes import Scope
from shared.access.tokens import all_tokens, create_token, revoke_token
from shared.access.users import (
    ONE_TIME_DAYS,
    Role,
    all_users,
    deactivate,
    invite_user,
    reactivate,
    reset_password,
    set_role,
)

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


class Users(Page):
    """The page of all users, including those who are deactivated."""

    name = "Users"
    # The URL, and the endpoint as a label of the metrics, have the older word.
    endpoint = "people"
    url = "/admin/people"
    scopes = (Scope.ADMIN,)

    @expose("/", methods=["GET", "POST"])
    @requires(Scope.ADMIN)
    def index(self) -> str:
        """Show the list and the form for a new user.

        Only the response to the form shows the one-time password.
        """
        form = UserForm()
        if form.validate_on_submit() and (password := _password_of_new_user(form)):
            return self._users_page(UserForm(formdata=None), form.name.data, password)
        return self._users_page(form)

    @expose(f"/{ID.format('user_id')}/role/", methods=["POST"])
    @requires(Scope.ADMIN)
    def change_role(self, user_id: int) -> Response:
        """Give a user another role, which applies immediately."""
        user, form = _user_or_404(user_id), RoleForm()
        if not form.validate():
            flash("Choose one of the roles.", "warning")
        elif set_role(user_id, Role(form.role.data)):
            flash(f"{user.username} is now {form.role.data}.", "success")
        else:
            flash(f"{user.username} is the last admin and must stay an admin.", "warning")
        return redirect(url_for(".index"))

    @expose(f"/{ID.format('user_id')}/lock-out/", methods=["POST"])
    @requires(Scope.ADMIN)
    def lock_out(self, user_id: int) -> Response:
        """Deactivate a user: end all sessions and allow no new one."""
        user = _user_or_404(user_id)
        if deactivate(user_id):
            flash(f"{user.username} is deactivated. All sessions have ended.", "success")
        elif user.disabled_at is not None:
            flash(f"{user.username} is deactivated already.", "warning")
        else:
            flash(f"{user.username} is the last admin and must stay an admin.", "warning")
        return redirect(url_for(".index"))

    @expose(f"/{ID.format('user_id')}/let-in/", methods=["POST"])
    @requires(Scope.ADMIN)
    def let_in(self, user_id: int) -> Response:
        """Reactivate a user who was deactivated."""
        user = _user_or_404(user_id)
        if reactivate(user_id):
            flash(
                f"{user.username} is reactivated and can sign in with the old password.",
                "success",
            )
        else:
            flash(f"{user.username} is not deactivated.", "warning")
        return redirect(url_for(".index"))

    @expose(f"/{ID.format('user_id')}/reset-password/", methods=["GET", "POST"])
    @requires(Scope.ADMIN)
    def reset_password(self, user_id: int) -> str | Response:
        """Give a user a one-time password, which only this response shows."""
        user = _user_or_404(user_id)
        if request.method == "GET":
            return redirect(url_for(".index"))
        if user_id == signed_in_user().user.id:
            flash("Change your own password here.", "warning")
            return redirect(url_for("account.index"))
        password = reset_password(user_id)
        return self._users_page(UserForm(formdata=None), user.username, password)

    def _users_page(
        self, form: UserForm, name: str | None = None, password: str | None = None
    ) -> str:
        """Render the list, with the one-time password of a user if there is one."""
        return self.page(
            "users.html",
            form=form,
            users=all_users(),
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


def _password_of_new_user(form: UserForm) -> str | None:
    """Create the user and return the one-time password.

    If the name cannot be used, returns None and puts the reason at the form's field.
    """
    try:
        return invite_user(form.name.data, Role(form.role.data))
    except UnusableName as unusable:
        form.name.errors = (str(unusable),)
    except IntegrityError:
        form.name.errors = (NAME_IS_TAKEN,)
    return None


def _user_or_404(user_id: int) -> User:
    user: User | None = User.get_or_none(User.id == user_id)
    if user is None:
        abort(404, message="There is no user with this id.")
    return user
