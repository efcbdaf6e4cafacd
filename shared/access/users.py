"""Users who sign in to the pages, and their roles.

A password is stored as Werkzeug's salted scrypt hash. A session names its user and that user's
session key. Signing out, a new password and deactivation change the key, which ends every session.

A user who has forgotten the password, or whom an administrator creates, gets a one-time password.
It is generated here and shown once.
"""

import secrets
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from textwrap import wrap
from types import MappingProxyType
from typing import Any

from shared.access.errors import PasswordExpired, WeakPassword
from shared.access.models import User
from shared.access.names import check_name, take_name
from shared.access.passwords import check_password, hash_of, is_password
from shared.access.scopes import Scope
from shared.audit import Action, ActorKind, Outcome, become, record
from shared.database.connection import database, is_postgresql
from shared.database.sql import clock

# The user may get a one-time password late, in an email or on paper.
ONE_TIME_DAYS = 3
# About 78 bits, of letters and digits that are not mistaken for each other.
ONE_TIME_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
ONE_TIME_CHARS = 16


class Role(StrEnum):
    """What a user may do. Each role includes the one before."""

    VIEWER = "viewer"
    IMPORTER = "importer"
    ADMIN = "admin"


ROLE_SCOPES: Mapping[str, frozenset[Scope]] = MappingProxyType(
    {
        Role.VIEWER: frozenset({Scope.READ}),
        Role.IMPORTER: frozenset({Scope.READ, Scope.IMPORT}),
        Role.ADMIN: frozenset(Scope),
    }
)


def create_user(username: str, password: str, role: Role) -> None:
    """Create a user with a password.

    Raises `WeakPassword`, `PasswordsBusy`, and what `take_name` does.
    """
    check_name(username)
    check_password(username, password)
    _insert(username, role, password_hash=hash_of(password))


def invite_user(username: str, role: Role) -> str:
    """Create a user with a one-time password, which is returned only now.

    Raises `PasswordsBusy`, and what `take_name` does.
    """
    password, columns = _one_time_password()
    _insert(username, role, **columns)
    return password


def _insert(username: str, role: Role, **columns: Any) -> None:
    with database.atomic():
        take_name(username)
        User.insert(
            username=username, created_at=clock(), role=role, session_key=_new_key(), **columns
        ).execute()
        record(Action.CREATE_USER, username, detail=role)


def sign_in(username: str, password: str) -> User | None:
    """Sign in: return the user with this name and password, or None if unknown or deactivated.

    An unknown name takes as long as a wrong password. Raises `PasswordExpired` and `PasswordsBusy`.
    """
    user: User | None = (
        User.select(User, (User.one_time_until <= clock()).alias("is_expired"))
        .where(User.username == username)
        .first()
    )
    known_hash = user.password_hash if user else _hash_of_nobody()
    is_right = is_password(known_hash, password)
    if not is_right or user is None or user.disabled_at is not None:
        # Users type passwords into the name field by mistake, so only a known name is recorded.
        known_name = user.username if user else None
        record(Action.SIGN_IN, known_name, outcome=Outcome.REFUSED)
        return None
    if user.is_expired:
        record(Action.SIGN_IN, user.username, outcome=Outcome.REFUSED)
        raise PasswordExpired
    become(ActorKind.USER, user.username)
    with database.atomic():
        User.update(signed_in_at=clock()).where(User.id == user.id).execute()
        record(Action.SIGN_IN, user.username)
    return user


@cache
def _hash_of_nobody() -> str:
    return hash_of(secrets.token_urlsafe())


def sign_out(user: User) -> None:
    """End all sessions of the user, so a copied session cookie opens nothing."""
    with database.atomic():
        User.update(session_key=_new_key()).where(User.id == user.id).execute()
        record(Action.SIGN_OUT, user.username)


def find_session(user_id: int, session_key: str) -> User | None:
    """Return the user of a session, or None if the session has ended."""
    user: User | None = User.get_or_none((User.id == user_id) & User.disabled_at.is_null())
    if user is None or not secrets.compare_digest(user.session_key.encode(), session_key.encode()):
        return None
    return user


def change_password(user: User, old: str, new: str) -> bool:
    """Set a new password and end all sessions. Return False if the old one is wrong.

    Also returns False if the password was changed meanwhile. Raises `WeakPassword` and
    `PasswordsBusy`.
    """
    if not is_password(user.password_hash, old):
        record(Action.CHANGE_PASSWORD, user.username, outcome=Outcome.REFUSED)
        return False
    check_password(user.username, new)
    if user.one_time_until is not None and new == old:
        raise WeakPassword("Choose a password of your own.")
    query = User.update(password_hash=hash_of(new), session_key=_new_key(), one_time_until=None)
    # An administrator may have reset the password since, because another user knows the old one.
    is_unchanged = (User.id == user.id) & (User.password_hash == user.password_hash)
    with database.atomic():
        is_changed = bool(query.where(is_unchanged).execute())
        if is_changed:
            record(Action.CHANGE_PASSWORD, user.username)
    return is_changed


def reset_password(user_id: int) -> str:
    """Replace a forgotten password with a one-time password, which is returned only now.

    This ends all sessions of the user. The password is valid for `ONE_TIME_DAYS`, and only to
    choose another one. Raises `PasswordsBusy`.
    """
    password, columns = _one_time_password()
    reset = User.update(session_key=_new_key(), **columns)
    with database.atomic():
        reset.where(User.id == user_id).execute()
        record(Action.RESET_PASSWORD, _name(user_id))
    return password


def _one_time_password() -> tuple[str, dict[str, Any]]:
    """Return a new one-time password, and the columns that store it."""
    characters = "".join(secrets.choice(ONE_TIME_ALPHABET) for _ in range(ONE_TIME_CHARS))
    password = "-".join(wrap(characters, 4))
    return password, {
        "password_hash": hash_of(password),
        "one_time_until": clock(ONE_TIME_DAYS * 24 * 3600.0),
    }


def all_users() -> list[User]:
    """Return all users, active or not, by name."""
    return list(User.select().order_by(User.username))


def set_role(user_id: int, role: Role) -> bool:
    """Give a user another role. Return False for the last administrator, who must stay one.

    Also returns False if there is no such user.
    """
    with database.atomic():
        if role is not Role.ADMIN and _is_last_admin(user_id):
            return False
        is_set = bool(User.update(role=role).where(User.id == user_id).execute())
        if is_set:
            record(Action.SET_ROLE, _name(user_id), detail=role)
        return is_set


def deactivate(user_id: int) -> bool:
    """Deactivate a user: end all sessions and allow no new one.

    Returns False for the last administrator, and for a user who is deactivated already.
    """
    query = User.update(disabled_at=clock(), session_key=_new_key())
    with database.atomic():
        if _is_last_admin(user_id):
            return False
        is_deactivated = bool(
            query.where((User.id == user_id) & User.disabled_at.is_null()).execute()
        )
        if is_deactivated:
            record(Action.LOCK_OUT, _name(user_id))
        return is_deactivated


def _name(user_id: int) -> str:
    return str(User.get_by_id(user_id).username)


def reactivate(user_id: int) -> bool:
    """Reactivate a user. Return False if the user is not deactivated."""
    is_deactivated = (User.id == user_id) & User.disabled_at.is_null(False)
    with database.atomic():
        is_reactivated = bool(User.update(disabled_at=None).where(is_deactivated).execute())
        if is_reactivated:
            record(Action.LET_IN, _name(user_id))
        return is_reactivated


def _is_last_admin(user_id: int) -> bool:
    """Whether no other administrator could sign in. This stays true until the transaction ends."""
    admins = User.select(User.id).where((User.role == Role.ADMIN) & User.disabled_at.is_null())
    # Two administrators must not both succeed when they take each other's role at once. SQLite runs
    # one transaction at a time.
    if is_postgresql():
        admins = admins.order_by(User.id).for_update()
    return [admin.id for admin in admins] == [user_id]


def _new_key() -> str:
    return secrets.token_urlsafe(16)
