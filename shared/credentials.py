"""Who may come in: API tokens for programs, admins for the pages.

A token is 32 random bytes, so a plain SHA-256 of it is safe at rest and quick to look up. A
password is not random: it is kept as Werkzeug's salted scrypt hash.
"""

import hashlib
import secrets
from collections.abc import Iterable
from enum import StrEnum

from peewee import AutoField, DateTimeField, TextField
from werkzeug.security import generate_password_hash

from shared.database import BaseModel, clock

TOKEN_PREFIX = "svs_"  # noqa: S105 - lets secret scanners recognise a leaked token
MIN_PASSWORD_CHARS = 10


class Scope(StrEnum):
    """What a token may do; ADMIN includes the others."""

    READ = "read"
    IMPORT = "import"
    ADMIN = "admin"


class ApiToken(BaseModel):
    """A bearer token, of which only the digest is known. `scopes` is separated by spaces."""

    id = AutoField()
    name = TextField(unique=True)
    digest = TextField(unique=True)
    scopes = TextField()
    created_at = DateTimeField()
    revoked_at = DateTimeField(null=True)

    def allows(self, *scopes: Scope) -> bool:
        """Whether the token has one of the scopes, or is an admin's."""
        return not {*scopes, Scope.ADMIN}.isdisjoint(self.scopes.split())


class Admin(BaseModel):
    """A person who signs in to the pages."""

    id = AutoField()
    username = TextField(unique=True)
    password_hash = TextField()
    created_at = DateTimeField()


def create_token(name: str, scopes: Iterable[Scope]) -> str:
    """Store a new token and return it, for the only time. Raises peewee's IntegrityError when the
    name is taken."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    ApiToken.insert(
        name=name,
        digest=_digest(token),
        scopes=" ".join(sorted(set(scopes))),
        created_at=clock(),
    ).execute()
    return token


def find_token(token: str) -> ApiToken | None:
    """The token that a client showed, unless it is unknown or revoked."""
    found: ApiToken | None = ApiToken.get_or_none(
        (ApiToken.digest == _digest(token)) & ApiToken.revoked_at.is_null()
    )
    return found


def create_admin(username: str, password: str) -> None:
    """Store a person who may sign in. Raises ValueError for a short password and peewee's
    IntegrityError when the name is taken."""
    if len(password) < MIN_PASSWORD_CHARS:
        raise ValueError(f"A password has at least {MIN_PASSWORD_CHARS} characters.")
    Admin.insert(
        username=username, password_hash=generate_password_hash(password), created_at=clock()
    ).execute()


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
