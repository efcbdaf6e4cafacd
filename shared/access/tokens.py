"""API tokens for programs, and the table of users who sign in to the pages.

A token is 32 random bytes, so its plain SHA-256 is safe to store and quick to look up.
`shared.access.people` has passwords and sessions.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from peewee import AutoField, DateTimeField, ModelSelect, Node, TextField

from shared.access.names import take_name
from shared.access.scopes import Scope
from shared.audit import Action, record
from shared.database.connection import BaseModel, database, unless_unwritable
from shared.database.sql import clock

TOKEN_PREFIX = "svs_"  # noqa: S105 - lets secret scanners recognise a token
# The longest life of a token that expires.
MAX_DAYS = 3650
# A busy token costs one write in this time, not one per request.
USE_NOTED_SECONDS = 60.0


class TokenState(StrEnum):
    """Whether a token is valid, by the database's clock."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ApiToken(BaseModel):
    """A bearer token, stored only as its digest. `scopes` are separated by spaces."""

    # Set by the query of `look_up` and `all_tokens`.
    is_expired: bool | None = None
    is_use_noted: bool | None = None

    id = AutoField()
    name = TextField(unique=True)
    digest = TextField(unique=True)
    scopes = TextField()
    created_at = DateTimeField()
    revoked_at = DateTimeField(null=True)
    expires_at = DateTimeField(null=True)
    last_used_at = DateTimeField(null=True)

    @property
    def state(self) -> TokenState:
        """The state of a token that `look_up` or `all_tokens` has found."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        return TokenState.EXPIRED if self.is_expired else TokenState.VALID

    def allows(self, *scopes: Scope) -> bool:
        """Whether the token has one of the scopes, or the scope ADMIN."""
        return not {*scopes, Scope.ADMIN}.isdisjoint(self.scopes.split())


class Admin(BaseModel):
    """A user who signs in to the pages.

    If `one_time_until` is set, the password is a one-time password. Until then, the user can use it
    only to choose another one.
    """

    # Set by the query of `shared.access.people.sign_in`.
    is_expired: bool | None = None

    id = AutoField()
    username = TextField(unique=True)
    password_hash = TextField()
    created_at = DateTimeField()
    role = TextField(default="admin")
    session_key = TextField(default="")
    disabled_at = DateTimeField(null=True)
    signed_in_at = DateTimeField(null=True)
    one_time_until = DateTimeField(null=True)


def create_token(
    name: str, scopes: Iterable[Scope], *, expires_at: datetime | Node | None = None
) -> str:
    """Store a new token and return it. It cannot be read again later.

    `expires_at` is UTC without a zone, or `clock(seconds)`. None means that the token never
    expires. Raises what `take_name` does.
    """
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    granted = " ".join(sorted(set(scopes)))
    with database.atomic():
        take_name(name)
        ApiToken.insert(
            name=name,
            digest=_digest(token),
            scopes=granted,
            created_at=clock(),
            expires_at=expires_at,
        ).execute()
        record(Action.CREATE_TOKEN, name, detail=granted)
    return token


def end_of(last_day: date) -> datetime:
    """Return the `expires_at` of a token whose last valid day in UTC is `last_day`."""
    return datetime.combine(last_day + timedelta(days=1), time())


def look_up(token: str) -> ApiToken | None:
    """Return the token that a client showed, in any state, or None if it is unknown."""
    digest = _digest(token)
    found: ApiToken | None = _tokens().where(ApiToken.digest == digest).first()
    # The index compares digests, and their timing reveals nothing about a token. This comparison
    # keeps that safe if the query changes.
    return found if found and hmac.compare_digest(found.digest, digest) else None


def find_token(token: str) -> ApiToken | None:
    """Return the token that a client showed, or None if it is unknown, expired or revoked."""
    found = look_up(token)
    return found if found and found.state is TokenState.VALID else None


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
