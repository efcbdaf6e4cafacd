"""The tables of users, who sign in to the pages, and of API tokens, which programs send."""

from enum import StrEnum

from peewee import AutoField, DateTimeField, TextField

from shared.access.scopes import Scope
from shared.database.connection import BaseModel


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


class User(BaseModel):
    """A user who signs in to the pages.

    If `one_time_until` is set, the password is a one-time password. Until then, the user can use it
    only to choose another one.
    """

    # Set by the query of `shared.access.users.sign_in`.
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

    class Meta:
        # The first release had administrators only, and PostgreSQL reserves the word `user`.
        table_name = "admin"
