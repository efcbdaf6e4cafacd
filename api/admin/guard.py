"""Who may open which page. A view names the scopes of which a person needs one, as the API's do;
a view that names none is an admin's."""

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
from shared.access.people import ROLE_SCOPES, find_session
from shared.access.scopes import Scope
from shared.access.tokens import Admin
from shared.audit import ActorKind
from shared.database.connection import database

PUBLIC_ENDPOINTS = frozenset({"account.sign_in", "pages.static"})
SIGN_IN = "account.sign_in"
UPLOAD = "new_import.index"
PROGRESS = "imports.progress"
# What the pages' script says when it renews a page that nobody has asked for.
UNATTENDED = "X-Unattended"
# What somebody with a one-time password may do.
CHANGE_PASSWORD = "account.index"  # noqa: S105 - the name of a page
BEFORE_CHANGE = frozenset({CHANGE_PASSWORD, "account.sign_out"})


class Person(UserMixin):  # type: ignore[misc]
    """Who is signed in."""

    def __init__(self, admin: Admin) -> None:
        self.admin = admin
        self.name: str = admin.username
        self.scopes = ROLE_SCOPES[admin.role]
        self.has_one_time_password = admin.one_time_until is not None

    def get_id(self) -> str:
        """What the session keeps; see `shared.access.people`."""
        return f"{self.admin.id}:{self.admin.session_key}"

    def allows(self, *scopes: Scope) -> bool:
        """Whether the person has one of the scopes, or is an admin."""
        return not {*scopes, Scope.ADMIN}.isdisjoint(self.scopes)


class Visitor(AnonymousUserMixin):  # type: ignore[misc]
    """Nobody yet."""

    name = ""

    def allows(self, *scopes: Scope) -> bool:
        """Nothing."""
        return False


def load_person(session_id: str) -> Person | None:
    """The person of a session, for Flask-Login; None when it has ended."""
    person_id, _, session_key = session_id.partition(":")
    if not person_id.isdecimal():
        return None
    with database.connection_context():
        found = find_session(int(person_id), session_key)
    return None if found is None else Person(found)


def person() -> Person:
    """Who has sent this request."""
    return cast(Person, current_user._get_current_object())


def guard_pages(app: Flask, csrf: CSRFProtect) -> None:
    """Look at every request for a page before it is answered, its form's token included."""

    def guard() -> Response | None:
        if not is_page(request.path):
            return None
        if request.endpoint not in PUBLIC_ENDPOINTS:
            if not current_user.is_authenticated:
                return _to_sign_in()
            audit.become(ActorKind.PERSON, person().name)
            if person().has_one_time_password and request.endpoint not in BEFORE_CHANGE:
                return redirect(url_for(CHANGE_PASSWORD))
            _check_scopes()
            _renew_session()
            give_time(request.environ)
            count_request(person().name)
        if request.method == "POST":
            _admit_body()
        csrf.protect()
        return None

    app.before_request(guard)


def _to_sign_in() -> Response:
    address = request.full_path.rstrip("?")
    if request.method == "GET":
        return redirect(url_for(SIGN_IN, next=address))
    # In the address: the script that sends a file follows redirects itself, and would use up a
    # message that is shown once.
    return redirect(url_for(SIGN_IN, ended=1, next=address if _shows_a_page() else None))


def _shows_a_page() -> bool:
    """Whether the address of this form is that of a page, too, to come back to."""
    adapter = current_app.create_url_adapter(request)
    return adapter is not None and adapter.test(method="GET")


def _admit_body() -> None:
    """Read the form of the page that takes files; no other may be large, and a stranger's must be
    one that the main loop has collected."""
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
    if not person().allows(*scopes):
        abort(403, message="Your role does not let you do this. Please ask an admin.")


def _renew_session() -> None:
    """A session lasts from the last time that its person did something: a page that is left open
    and asks for news by itself does not keep it."""
    if request.endpoint != PROGRESS and UNATTENDED not in request.headers:
        session.modified = True


def safe_next(target: str | None) -> str:
    """Where to go after signing in: a page of ours, whatever the address says. No header holds a
    line break."""
    home = url_for("admin.index")
    if not target or not target.isprintable():
        return home
    parts = urlsplit(target)
    is_ours = not parts.scheme and not parts.netloc and is_page(parts.path)
    return target if is_ours and target.startswith("/") and "\\" not in target else home
