"""The audit table: who did what, when and from where. Entries are added, never changed or removed.

Who acts is said once, where a request, a command or a worker begins. What is done is recorded once,
by the function that does it and in its transaction: there is no act without its entry, and no entry
of an act that was rolled back. A file is handed out after its entry is committed.

The entries are rows of the database beside the roll, so a voter's id may stand in them; it is in no
log.
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
    """What can be done. A new one needs a migration, for the table's CHECK."""

    SIGN_IN = "sign-in"
    SIGN_OUT = "sign-out"
    CHANGE_PASSWORD = "change-password"  # noqa: S105 - the name of an act
    RESET_PASSWORD = "reset-password"  # noqa: S105 - the name of an act
    CREATE_PERSON = "create-person"
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
    """What somebody is who does something."""

    PERSON = "person"
    TOKEN = "token"  # noqa: S105 - a kind of actor
    COMMAND_LINE = "command-line"
    SERVICE = "service"
    STRANGER = "stranger"


class Outcome(StrEnum):
    """Whether it was done. Only passwords are refused here; other refusals change nothing."""

    OK = "ok"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, under the name of a person, a token or an account of the machine.

    `address` is the client's, None where there is no client.
    """

    kind: ActorKind
    name: str = ""
    address: str | None = None


# The workers, whom nobody has asked.
SERVICE = Actor(ActorKind.SERVICE)
_actor: ContextVar[Actor] = ContextVar("actor", default=SERVICE)


class AuditEntry(BaseModel):
    """One act. `at` is the database's clock, UTC without a zone. What `subject` names (a job, a
    person, a token, a voter) goes with the action."""

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
    """Say who acts from now on, in this thread."""
    _actor.set(actor)


def command_line() -> Actor:
    """Whose process this is: not what the environment claims, and in a container an account may
    lack a name."""
    user_id = os.getuid()
    try:
        return Actor(ActorKind.COMMAND_LINE, pwd.getpwuid(user_id).pw_name)
    except KeyError:
        return Actor(ActorKind.COMMAND_LINE, f"user {user_id}")


def become(kind: ActorKind, name: str) -> None:
    """The one who acts is known by now; the address stays."""
    _actor.set(replace(_actor.get(), kind=kind, name=name))


def record(
    action: Action, subject: object = None, *, outcome: Outcome = Outcome.OK, detail: str = ""
) -> None:
    """Add an entry for what the present actor does. Call it in the transaction of the act.

    `subject` is the id of a job or a voter, or the name of a person or a token. Neither it nor
    `detail` may be what a stranger has typed.
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
