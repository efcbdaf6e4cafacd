"""Who may come in: API tokens for programs, admins for the pages.

A token is 32 random bytes, so a plain SHA-256 of it is safe at rest and quick to look up. What
people do with their passwords is in `shared.access.people`.
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
# How far ahead a token may expire, other than never.
MAX_DAYS = 3650
# A busy token costs one write in this time, not one a request.
USE_NOTED_SECONDS = 60.0


class TokenState(StrEnum):
    """Whether a token opens anything, by the database's clock."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


class ApiToken(BaseModel):
    """A bearer token, of which only the digest is known. `scopes` is separated by spaces."""

    # Told by the query of `look_up` and `all_tokens`.
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
        """Of a token that `look_up` or `all_tokens` has found."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        return TokenState.EXPIRED if self.is_expired else TokenState.VALID

    def allows(self, *scopes: Scope) -> bool:
        """Whether the token has one of the scopes, or is an admin's."""
        return not {*scopes, Scope.ADMIN}.isdisjoint(self.scopes.split())


class Admin(BaseModel):
    """A person who signs in to the pages; until `one_time_until`, with a password that lets them
    choose one of their own and do nothing else."""

    # Told by the query of `shared.access.people.sign_in`.
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
    """Store a new token and return it, for the only time.

    `expires_at` is UTC without a zone, or `clock(seconds)`; None is for ever. Raises what
    `take_name` does.
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
    """When a token expires that is good on all of a day, in UTC: `expires_at` of `create_token`."""
    return datetime.combine(last_day + timedelta(days=1), time())


def look_up(token: str) -> ApiToken | None:
    """The token that a client showed, in whatever state; None when it is unknown."""
    digest = _digest(token)
    found: ApiToken | None = _tokens().where(ApiToken.digest == digest).first()
    # The index has compared digests, whose timing tells nothing about a token; this holds should
    # the query ever change.
    return found if found and hmac.compare_digest(found.digest, digest) else None


def find_token(token: str) -> ApiToken | None:
    """The token that a client showed, unless it is unknown, expired or revoked."""
    found = look_up(token)
    return found if found and found.state is TokenState.VALID else None


def all_tokens() -> list[ApiToken]:
    """Every token there has been, by name."""
    return list(_tokens().order_by(ApiToken.name))


def _tokens() -> "ModelSelect[ApiToken]":
    return ApiToken.select(
        ApiToken,
        (ApiToken.expires_at <= clock()).alias("is_expired"),
        (ApiToken.last_used_at > clock(-USE_NOTED_SECONDS)).alias("is_use_noted"),
    )


def note_use(token: ApiToken) -> None:
    """Remember that a token was used, about once a minute, and not while the database is locked or
    read-only."""
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
    """Let a token open nothing any more, at once; False when there is none of this name, or it
    was revoked before."""
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
