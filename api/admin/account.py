"""The pages to sign in, to sign out and to change the password."""

import math

from flask import flash, redirect, request, session, url_for
from flask_admin import expose
from flask_login import login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response
from wtforms import PasswordField, StringField
from wtforms.validators import InputRequired, Length

from api.access.auth import requires
from api.access.rate_limits import (
    forget_failed_sign_ins,
    note_failed_sign_in,
    seconds_before_sign_in,
)
from api.admin.guard import SignedInUser, safe_next, signed_in_user
from api.admin.page import ANYBODY, Page
from shared.access.errors import PasswordExpired, WeakPassword
from shared.access.names import MAX_NAME_CHARS
from shared.access.passwords import MAX_PASSWORD_CHARS, MIN_PASSWORD_CHARS
from shared.access.users import change_password
from shared.access.users import sign_in as find_user
from shared.access.users import sign_out as end_sessions

EXPIRED = "This one-time password has expired. Ask an admin for a new one."


class SignInForm(FlaskForm):  # type: ignore[misc]
    """The form for the name and the password."""

    username = StringField(
        "Name",
        [InputRequired("Enter your name."), Length(max=MAX_NAME_CHARS)],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        "Password",
        [InputRequired("Enter your password."), Length(max=MAX_PASSWORD_CHARS)],
        render_kw={"autocomplete": "current-password"},
    )


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The form for the current password and, twice, the new one."""

    old = PasswordField(
        "Current password",
        [InputRequired("Enter your current password.")],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        "New password",
        [InputRequired("Enter a new password.")],
        description=f"{MIN_PASSWORD_CHARS} characters or more.",
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "New password again",
        [InputRequired("Enter the new password again.")],
        render_kw={"autocomplete": "new-password"},
    )


class Account(Page):
    """The pages of a user's own account."""

    name = "Account"
    endpoint = "account"
    url = "/admin/account"
    is_in_menu = False

    def is_accessible(self) -> bool:
        """Allow everyone, because a user must reach the sign-in page. The guard checks the rest."""
        return True

    @expose("/sign-in/", methods=["GET", "POST"])
    def sign_in(self) -> str | Response:
        """Ask for name and password, and begin a session if they are right."""
        form = SignInForm()
        if form.validate_on_submit() and _is_signed_in(form):
            return redirect(safe_next(request.args.get("next")))
        return self.page("sign_in.html", form=form)

    @expose("/sign-out/", methods=["POST"])
    @requires(*ANYBODY)
    def sign_out(self) -> Response:
        """End all sessions of the user.

        The session of this browser ends first, so it ends even if the database is unavailable.
        """
        user = signed_in_user().user
        logout_user()
        session.clear()
        end_sessions(user)
        flash("You are signed out, here and on all other devices.", "success")
        return redirect(url_for("account.sign_in"))

    @expose("/", methods=["GET", "POST"])
    @requires(*ANYBODY)
    def index(self) -> str | Response:
        """Set a new password and end all sessions. The user must sign in again."""
        form = PasswordForm()
        if signed_in_user().has_one_time_password:
            form.old.label.text = "One-time password"
        if form.validate_on_submit() and self._is_changed(form):
            flash("Your password is changed. Sign in with the new password.", "success")
            logout_user()
            session.pop("_user_id", None)
            return redirect(url_for("account.sign_in"))
        return self.page("password.html", form=form)

    def _is_changed(self, form: PasswordForm) -> bool:
        if form.new.data != form.again.data:
            form.again.errors = ("The two new passwords are different.",)
            return False
        if message := _wait_message(signed_in_user().name):
            form.old.errors = (message,)
            return False
        try:
            is_changed = change_password(signed_in_user().user, form.old.data, form.new.data)
        except WeakPassword as weak:
            form.new.errors = (str(weak),)
            return False
        if not is_changed:
            note_failed_sign_in(signed_in_user().name)
            form.old.errors = ("This is not your current password.",)
        return is_changed


def _wait_message(account: str) -> str | None:
    """Return an error message if the client has tried too many passwords for the account."""
    seconds = seconds_before_sign_in(account)
    minutes = math.ceil(seconds / 60)
    return f"Too many wrong passwords. Wait {minutes} min." if seconds else None


def _is_signed_in(form: SignInForm) -> bool:
    """Begin a session, or put the reason at the form. A client may guess only a few times."""
    name = form.username.data
    if message := _wait_message(name):
        form.password.errors = (message,)
        return False
    try:
        user = find_user(name, form.password.data)
    except PasswordExpired:
        note_failed_sign_in(name)
        form.password.errors = (EXPIRED,)
        return False
    if user is None:
        note_failed_sign_in(name)
        form.password.errors = ("The name or the password is wrong.",)
        return False
    forget_failed_sign_ins(name)
    session.clear()
    session.permanent = True
    login_user(SignedInUser(user))
    return True
