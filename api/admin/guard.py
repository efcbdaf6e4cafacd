"""Access control of the pages.

A view names the scopes that open it, as in the API, and a user needs one of them. A view that names
no scope is open to administrators only.
"""

from typing import cast
from urllib.parse import urlsplit

from flask import Flask, current_app, redirect, request, session, url_for
from flask_login import AnonymousUserMixin, UserMixin, current_user
from flask_wtf.csrf import CSRFProtect
from webargs.flaskparser import abort
from werkzeug.wrappers import Response

from api.access.auth import UNMARKED, is_page
from api.access.rate_limits import count_request
from api.jobs.upload import read_form
from api.middleware.paced_socket import give_time
from api.server.small_bodies import BODY_BYTES
from shared import audit
from shared.access.models import User
from shared.access.scopes import Scope
from shared.access.users import ROLE_SCOPES, find_session
from shared.audit import ActorKind
from shared.database.connection import database

PUBLIC_ENDPOINTS = frozenset({"account.sign_in", "pages.static"})
SIGN_IN = "account.sign_in"
UPLOAD = "new_import.index"
PROGRESS = "imports.progress"
# The pages' script sends this header when it refreshes a page without an action of the user.
UNATTENDED = "X-Unattended"
# A user with a one-time password may open only these pages.
CHANGE_PASSWORD = "account.index"  # noqa: S105 - the name of a page
BEFORE_CHANGE = frozenset({CHANGE_PASSWORD, "account.sign_out"})


class SignedInUser(UserMixin):  # type: ignore[misc]
    """The user who is signed in."""

    def __init__(self, user: User) -> None:
        self.user = user
        self.name: str = user.username
        self.scopes = ROLE_SCOPES[user.role]
        self.has_one_time_password = user.one_time_until is not None

    def get_id(self) -> str:
        """Return the id that the session stores, see `shared.access.users`."""
        return f"{self.user.id}:{self.user.session_key}"

    def allows(self, *scopes: Scope) -> bool:
        """Whether the user has one of the scopes, or is an administrator."""
        return not {*scopes, Scope.ADMIN}.isdisjoint(self.scopes)


class Visitor(AnonymousUserMixin):  # type: ignore[misc]
    """A visitor who is not signed in."""

    name = ""

    def allows(self, *scopes: Scope) -> bool:
        """Return False: a visitor has no scopes."""
        return False


def load_user(session_id: str) -> SignedInUser | None:
    """Return the user of a session for Flask-Login, or None if the session has ended."""
    user_id, _, session_key = session_id.partition(":")
    if not user_id.isdecimal():
        return None
    with database.connection_context():
        user = find_session(int(user_id), session_key)
    return None if user is None else SignedInUser(user)


def signed_in_user() -> SignedInUser:
    """Return the user who sent this request."""
    return cast(SignedInUser, current_user._get_current_object())


def guard_pages(app: Flask, csrf: CSRFProtect) -> None:
    """Check each request for a page before its view runs, including the CSRF token of its form."""

    def guard() -> Response | None:
        if not is_page(request.path):
            return None
        if request.endpoint not in PUBLIC_ENDPOINTS:
            if not current_user.is_authenticated:
                return _to_sign_in()
            audit.become(ActorKind.USER, signed_in_user().name)
            if signed_in_user().has_one_time_password and request.endpoint not in BEFORE_CHANGE:
                return redirect(url_for(CHANGE_PASSWORD))
            _check_scopes()
            _renew_session()
            give_time(request.environ)
            count_request(signed_in_user().name)
        if request.method == "POST":
            _admit_body()
        csrf.protect()
        return None

    app.before_request(guard)


def _to_sign_in() -> Response:
    address = request.full_path.rstrip("?")
    if request.method == "GET":
        return redirect(url_for(SIGN_IN, next=address))
    # `ended` is in the URL: the script that sends a file follows redirects, and would use up a
    # message that is shown once.
    return redirect(url_for(SIGN_IN, ended=1, next=address if _shows_a_page() else None))


def _shows_a_page() -> bool:
    """Whether the URL of this form is also that of a page, to which the user can return."""
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(method="GET")


def _admit_body() -> None:
    """Limit the body of a form, and read the form that brings a file.

    Only the page that takes files accepts a large body. A client that is not signed in must send a
    body that the main loop has already collected, so its length must be stated.
    """
    if request.endpoint in PUBLIC_ENDPOINTS:
        if "Transfer-Encoding" in request.headers:
            abort(411, message="Send the form with its length in the header `Content-Length`.")
        request.max_content_length = BODY_BYTES
    elif request.endpoint == UPLOAD:
        read_form()


def _check_scopes() -> None:
    if request.endpoint is None:
        return
    view = current_app.view_functions[request.endpoint]
    scopes: tuple[Scope, ...] = getattr(view, "scopes", UNMARKED)
    if not signed_in_user().allows(*scopes):
        abort(403, message="Your role does not allow this. Ask an admin.")


def _renew_session() -> None:
    """Extend the session if the user did something.

    A page that stays open and asks for news automatically must not keep its session alive.
    """
    if request.endpoint != PROGRESS and UNATTENDED not in request.headers:
        session.modified = True


def safe_next(target: str | None) -> str:
    """Return the URL to open after signing in: always one of our pages.

    A line break is rejected, because no header may hold one.
    """
    home = url_for("admin.index")
    if not target or not target.isprintable():
        return home
    parts = urlsplit(target)
    is_ours = not parts.scheme and not parts.netloc and is_page(parts.path)
    return target if is_ours and target.startswith("/") and "\\" not in target else home
