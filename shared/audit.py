"""The audit table: who did what, when and from where. Entries are never changed or removed.

The start of a request, a command or a worker sets the actor once. The function that performs an
action records it once, in its own transaction. There is no action without its entry, and no entry
of an action that was rolled back. A file is sent after its entry is committed.

The entries are in the database beside the roll, so they may contain a voter's id. No log contains
it.
"""

import os
import pwd
from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import StrEnum

from peewee import AutoField, DateTimeField, TextField

from shared.database.connection import BaseModel
from shared.database.sql import clock


class Action(StrEnum):
    """The recorded actions. A new one needs a migration, for the table's CHECK."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    CHANGE_PASSWORD = "change-password"  # noqa: S105 - the name of an act
    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of an act
    # The table stores the older word.
    CREATE_USER = "create-person"
    SET_ROLE = "set-role"
    LOCK_OUT = "lock-out"
    LET_IN = "let-in"
    CREATE_TOKEN = "create-token"  # noqa: S105 - the name of an act
    REVOKE_TOKEN = "revoke-token"  # noqa: S105 - the name of an act
    UPLOAD = "upload"
    APPLY = "apply"
    RETRY = "retry"
    CANCEL = "cancel"
    RESEND_REPORT = "resend-report"
    IMPORT = "import"
    PURGE = "purge"
    VIEW_FILE = "view-file"
    VIEW_REJECTS = "view-rejects"
    EXPORT = "export"
    EDIT = "edit"
    ERASE_ROLL = "erase-roll"
    MIGRATE = "migrate"


class ActorKind(StrEnum):
    """The kind of actor."""

    # The table stores the older word.
    USER = "person"
    TOKEN = "token"  # noqa: S105 - a kind of actor
    COMMAND_LINE = "command-line"
    SERVICE = "service"
    STRANGER = "stranger"


class Outcome(StrEnum):
    """Whether the action was done.

    Only passwords are refused here. Other rejections change nothing.
    """

    OK = "ok"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by the name of a user, a token or an account of the machine.

    `address` is the client's IP address, or None without a client.
    """

    kind: ActorKind
    name: str = ""
    address: str | None = None


# The workers, which act without a request.
SERVICE = Actor(ActorKind.SERVICE)
_actor: ContextVar[Actor] = ContextVar("actor", default=SERVICE)


class AuditEntry(BaseModel):
    """One action. `at` is the database's clock, UTC without a zone.

    The action decides what `subject` names: a job, a user, a token or a voter.
    """

    id = AutoField()
    at = DateTimeField()
    actor_kind = TextField()
    actor = TextField()
    address = TextField(null=True)
    action = TextField()
    subject = TextField(null=True)
    outcome = TextField()
    detail = TextField()


def act_as(actor: Actor) -> None:
    """Set who acts from now on, in this thread."""
    _actor.set(actor)


def command_line() -> Actor:
    """Return the account of this process as the actor.

    The environment could claim another name, so this asks the system. In a container an account may
    have no name.
    """
    user_id = os.getuid()
    try:
        return Actor(ActorKind.COMMAND_LINE, pwd.getpwuid(user_id).pw_name)
    except KeyError:
        return Actor(ActorKind.COMMAND_LINE, f"user {user_id}")


def become(kind: ActorKind, name: str) -> None:
    """Set the kind and name of the actor, which are known only now. The address stays."""
    _actor.set(replace(_actor.get(), kind=kind, name=name))


def record(
    action: Action, subject: object = None, *, outcome: Outcome = Outcome.OK, detail: str = ""
) -> None:
    """Add an entry for an action of the current actor. Call it in the transaction of the action.

    `subject` is the id of a job or a voter, or the name of a user or a token. Neither `subject` nor
    `detail` may be text that a stranger has typed.
    """
    actor = _actor.get()
    AuditEntry.insert(
        at=clock(),
        actor_kind=actor.kind,
        actor=actor.name,
        address=actor.address,
        action=action,
        subject=None if subject is None else str(subject),
        outcome=outcome,
        detail=detail,
    ).execute()
