"""Authentication of requests. An endpoint needs a credential unless this module lists it.

A view names the scopes that open it, and a token needs one of them. A view that names no scope
needs the scope `admin`.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar, cast

from flask import Request, current_app, g, request
from webargs.flaskparser import abort
from werkzeug.exceptions import SecurityError

from api.access.rate_limits import count_request, refuse_for_now
from api.middleware.paced_socket import give_time
from api.services import services
from shared import audit
from shared.access.models import ApiToken, TokenState
from shared.access.scopes import Scope
from shared.access.tokens import look_up, note_use
from shared.audit import Actor, ActorKind
from shared.database.connection import database

PUBLIC_ENDPOINTS = frozenset(
    {
        "Health.live",
        "Health.ready",
        "api-docs.openapi_json",
        "docs.home",
        "docs.page",
        "docs.asset",
        "docs.start_script",
    }
)
UNMARKED = (Scope.ADMIN,)
REALM = 'realm="student-voter-system"'
REFUSALS = {TokenState.EXPIRED: "has expired", TokenState.REVOKED: "has been revoked"}

View = TypeVar("View", bound=Callable[..., Any])


def requires(*scopes: Scope) -> Callable[[View], View]:
    """Mark a view as open to tokens and users that have one of the scopes."""

    def mark(view: View) -> View:
        view.__dict__["scopes"] = scopes
        return view

    return mark


def authenticate() -> None:
    """Check the host, the token, its scopes and its rate limit before the body is read.

    A request that fails a check ends here with 400, 401, 403 or 429. The pages and the public
    endpoints need no token.
    """
    # Behind a socket file, or behind a proxy that sends none, a client has no IP address.
    audit.act_as(Actor(ActorKind.STRANGER, address=request.remote_addr or None))
    _check_host()
    if request.endpoint in PUBLIC_ENDPOINTS or is_page(request.path):
        return
    g.token = _credential()
    audit.become(ActorKind.TOKEN, g.token.name)
    give_time(request.environ)
    if request.endpoint is not None:
        view = current_app.view_functions[request.endpoint]
        demand(*getattr(view, "scopes", UNMARKED))
        count_request(g.token.name)


def _check_host() -> None:
    """Reject a host name that is not ours, on every endpoint and without a hint."""
    is_refused = isinstance(request.routing_exception, SecurityError)
    # Even if every name is allowed, no URL can be made from an invalid one.
    if is_refused or (request.headers.get("Host") and not _makes_links(request)):
        raise SecurityError("The service does not answer under this host name.")


def _makes_links(asked_url: Request) -> bool:
    try:
        return bool(asked_url.host and asked_url.root_url)
    except UnicodeError:
        return False


def is_page(path: str) -> bool:
    """Whether a path belongs to the pages for users, which `api.admin.guard` protects."""
    return path == "/admin" or path.startswith("/admin/")


def caller() -> ApiToken:
    """Return the token of this request."""
    return cast(ApiToken, g.token)


def _credential() -> ApiToken:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        _refuse(
            HTTPStatus.UNAUTHORIZED,
            "Send an API token in the header `Authorization: Bearer TOKEN`.",
            challenge="",
        )
    failures = services().failures
    if seconds := failures.seconds_to_wait(request.remote_addr, authorization.token):
        refuse_for_now(seconds, "Too many API tokens were rejected. Wait a moment.")
    # Give the connection back before the body is read: a slow upload must not hold one.
    with database.connection_context():
        token = look_up(authorization.token)
        if token is None or token.state is not TokenState.VALID:
            failures.note(request.remote_addr)
            _refuse_token(token)
        note_use(token)
    failures.note_good(authorization.token)
    return token


def _refuse_token(token: ApiToken | None) -> NoReturn:
    why = "is unknown" if token is None else REFUSALS[token.state]
    _refuse(
        HTTPStatus.UNAUTHORIZED,
        f"This API token {why}.",
        challenge=f'error="invalid_token", error_description="The token {why}"',
    )


def demand(*scopes: Scope) -> None:
    """Reject with 403 a request whose token has none of the scopes."""
    if not caller().allows(*scopes):
        _refuse(
            HTTPStatus.FORBIDDEN,
            f"This API token lacks the scope `{'` or `'.join(scopes)}`.",
            challenge=f'error="insufficient_scope", scope="{" ".join(scopes)}"',
        )


def _refuse(status: HTTPStatus, message: str, *, challenge: str) -> NoReturn:
    """End the request with a `WWW-Authenticate` challenge.

    The challenge always has a parameter. It has an error only if the request has a token (RFC 6750,
    section 3).
    """
    parameters = f"{REALM}, {challenge}" if challenge else REALM
    abort(status, message=message, headers={"WWW-Authenticate": f"Bearer {parameters}"})
