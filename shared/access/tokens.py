"""API tokens for programs.

A token is 32 random bytes, so its plain SHA-256 is safe to store and quick to look up.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from peewee import ModelSelect, Node

from shared.access.models import ApiToken, TokenState
from shared.access.names import take_name
from shared.access.scopes import Scope
from shared.audit import Action, record
from shared.database.connection import database, unless_unwritable
from shared.database.sql import clock

TOKEN_PREFIX = "svs_"  # noqa: S105 - lets secret scanners recognise a token
# The longest life of a token that expires.
MAX_DAYS = 3650
# A busy token costs one write in this time, not one per request.
USE_NOTED_SECONDS = 60.0


def create_token(
    name: str, scopes: Iterable[Scope], *, expires_at: datetime | Node | None = None
) -> str:
    """Store a new token and return it. It cannot be read again later.

    `expires_at` is UTC without a zone, or `clock(seconds)`. None means that the token never
    expires. Raises what `take_name` does.
    """
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    scope_names = " ".join(sorted(set(scopes)))
    with database.atomic():
        take_name(name)
        ApiToken.insert(
            name=name,
            digest=_digest(token),
            scopes=scope_names,
            created_at=clock(),
            expires_at=expires_at,
        ).execute()
        record(Action.CREATE_TOKEN, name, detail=scope_names)
    return token


def end_of(last_day: date) -> datetime:
    """Return the `expires_at` of a token whose last valid day in UTC is `last_day`."""
    return datetime.combine(last_day + timedelta(days=1), time())


def look_up(token: str) -> ApiToken | None:
    """Return the token that a client showed, in any state, or None if it is unknown."""
    digest = _digest(token)
    match: ApiToken | None = _tokens().where(ApiToken.digest == digest).first()
    # The index compares digests, and their timing reveals nothing about a token. This comparison
    # keeps that safe if the query changes.
    return match if match and hmac.compare_digest(match.digest, digest) else None


def find_token(token: str) -> ApiToken | None:
    """Return the token that a client showed, or None if it is unknown, expired or revoked."""
    match = look_up(token)
    return match if match and match.state is TokenState.VALID else None


def all_tokens() -> list[ApiToken]:
    """Return every token that there has been, by name."""
    return list(_tokens().order_by(ApiToken.name))


def _tokens() -> "ModelSelect[ApiToken]":
    return ApiToken.select(
        ApiToken,
        (ApiToken.expires_at <= clock()).alias("is_expired"),
        (ApiToken.last_used_at > clock(-USE_NOTED_SECONDS)).alias("is_use_noted"),
    )


def note_use(token: ApiToken) -> None:
    """Record that a token was used, about once a minute.

    Skips this while the database is locked (SQLite), read-only or full.
    """
    if token.is_use_noted:
        return
    is_unnoted = ApiToken.last_used_at.is_null() | (
        ApiToken.last_used_at <= clock(-USE_NOTED_SECONDS)
    )
    with unless_unwritable():
        ApiToken.update(last_used_at=clock()).where(
            (ApiToken.id == token.id) & is_unnoted
        ).execute()


def revoke_token(name: str) -> bool:
    """Revoke a token, with immediate effect.

    Returns False if there is no token of this name, or if it was revoked before.
    """
    query = ApiToken.update(revoked_at=clock()).where(
        (ApiToken.name == name) & ApiToken.revoked_at.is_null()
    )
    with database.atomic():
        is_revoked = bool(query.execute())
        if is_revoked:
            record(Action.REVOKE_TOKEN, name)
    return is_revoked


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
