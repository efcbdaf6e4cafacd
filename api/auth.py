"""Who may call what. Nothing answers without a credential, unless it is listed here.

A view names the scopes of which a token needs one; a view that names none is an admin's.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar, cast

from flask import current_app, g, request
from webargs.flaskparser import abort
from werkzeug.exceptions import SecurityError

from api.paced_socket import give_time
from shared.credentials import ApiToken, Scope, find_token
from shared.database import database

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

View = TypeVar("View", bound=Callable[..., Any])


def requires(*scopes: Scope) -> Callable[[View], View]:
    """Mark a view as open to tokens that have one of the scopes."""

    def mark(view: View) -> View:
        view.__dict__["scopes"] = scopes
        return view

    return mark


def authenticate() -> None:
    """Stop a request that may not go on. It runs before the body is looked at."""
    if isinstance(request.routing_exception, SecurityError):
        # A host that is not ours gets no answer from any endpoint, and no hint either.
        raise request.routing_exception
    if request.endpoint in PUBLIC_ENDPOINTS:
        return
    g.token = _credential()
    give_time(request.environ)
    if request.endpoint is not None:
        _check_scope(g.token, current_app.view_functions[request.endpoint])


def caller() -> ApiToken:
    """The token that this request has shown."""
    return cast(ApiToken, g.token)


def _credential() -> ApiToken:
    shown = request.authorization
    if shown is None or shown.type != "bearer" or not shown.token:
        _refuse(
            HTTPStatus.UNAUTHORIZED,
            "Send an API token in the header `Authorization: Bearer TOKEN`.",
            challenge="Bearer",
        )
    # A slow upload must not keep a connection, so this one is given back before the body is read.
    with database.connection_context():
        found = find_token(shown.token)
    if found is None:
        _refuse(
            HTTPStatus.UNAUTHORIZED,
            "This API token is unknown or has been revoked.",
            challenge='Bearer error="invalid_token"',
        )
    return found


def _check_scope(token: ApiToken, view: Callable[..., Any]) -> None:
    scopes: tuple[Scope, ...] = getattr(view, "scopes", UNMARKED)
    if not token.allows(*scopes):
        _refuse(
            HTTPStatus.FORBIDDEN,
            f"This API token lacks the scope `{'` or `'.join(scopes)}`.",
            challenge=f'Bearer error="insufficient_scope", scope="{" ".join(scopes)}"',
        )


def _refuse(status: HTTPStatus, message: str, *, challenge: str) -> NoReturn:
    abort(status, message=message, headers={"WWW-Authenticate": challenge})
