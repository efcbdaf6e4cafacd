"""The audit table: entries never change, and an action and its entry are one transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from peewee import IntegrityError, PeeweeException

from shared.access.models import ApiToken, User
from shared.access.scopes import Scope
from shared.access.tokens import create_token, revoke_token
from shared.access.users import (
    Role,
    change_password,
    create_user,
    deactivate,
    set_role,
    sign_in,
)
from shared.audit import Action, Actor, ActorKind, AuditEntry, Outcome, act_as, record
from shared.database.connection import database, is_postgresql
from shared.database.sql import clock
from shared.jobs import files, jobs
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, JobFault, OutboxEntry
from shared.jobs.outbox import add_entries
from shared.jobs.states import OutboxState
from shared.voters.editing import edit
from shared.voters.history import Author
from shared.voters.models import Voter, VoterHistory
from tests.support.outbox_entries import set_mails

pytestmark = pytest.mark.usefixtures("any_database", "quick_hashes")

ADDRESS = "192.0.2.7"
PASSWORD = "long enough for anybody"
FILE = StoredFile(key="k", name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")
ANYWHERE = (
    "UPDATE audit_entry SET actor = 'nobody'",
    "DELETE FROM audit_entry",
    """INSERT INTO audit_entry SELECT * FROM audit_entry WHERE true
    ON CONFLICT (id) DO UPDATE SET actor = 'nobody'""",
)
ON_POSTGRESQL = "TRUNCATE audit_entry"
ON_SQLITE = "INSERT OR REPLACE INTO audit_entry SELECT * FROM audit_entry"
TABLES = (User, ApiToken, Job, JobFault, OutboxEntry, Voter, VoterHistory)


@pytest.fixture(autouse=True)
def _actor() -> Iterator[None]:
    act_as(Actor(ActorKind.TOKEN, "registrar", ADDRESS))
    yield
    act_as(Actor(ActorKind.SERVICE))


def user(name: str) -> User:
    found: User = User.get(User.username == name)
    return found


def job(**values: object) -> Job:
    job_id = jobs.create(FILE, uploaded_by="registrar")
    if values:
        Job.update(**values).where(Job.id == job_id).execute()
    found = jobs.find(job_id)
    assert found is not None
    return found


def ended_job(**values: object) -> Job:
    return job(state="REVOKED", finished_at=clock(-9), **values)


# What each preparation returns: a function that acts, its action and its subject.
Prepared = tuple[Callable[[], object], Action, str]


def an_upload() -> Prepared:
    return lambda: jobs.create(FILE, uploaded_by="registrar"), Action.UPLOAD, "the new job"


def an_import_at_the_command_line() -> Prepared:
    def act() -> object:
        return jobs.create_started(
            FILE, uploaded_by="ann", dry_run=False, worker="w", lease_seconds=9
        )

    return act, Action.UPLOAD, "the new job"


def an_application() -> Prepared:
    preview = job()

    def act() -> object:
        return jobs.create_again(
            preview, uploaded_by="registrar", dry_run=False, preview_of=preview.id
        )

    return act, Action.APPLY, "the new job"


def a_retry() -> Prepared:
    failed = ended_job()

    def act() -> object:
        return jobs.create_again(failed, uploaded_by="x", dry_run=False, retry_of=failed.id)

    return act, Action.RETRY, "the new job"


def a_cancellation() -> Prepared:
    waiting = job()
    return lambda: jobs.cancel(waiting.id, by="registrar"), Action.CANCEL, str(waiting.id)


def a_mail_again() -> Prepared:
    ended = ended_job()
    add_entries(ended.id)
    set_mails(state=OutboxState.SENT, sent_at=clock(-9))
    return lambda: jobs.resend_report(ended.id), Action.RESEND_REPORT, str(ended.id)


def a_purge() -> Prepared:
    ended = ended_job()
    return lambda: files.forget_files(ended), Action.PURGE, str(ended.id)


def a_new_token() -> Prepared:
    return lambda: create_token("t", [Scope.READ]), Action.CREATE_TOKEN, "t"


def a_revoked_token() -> Prepared:
    create_token("t", [Scope.READ])
    return lambda: revoke_token("t"), Action.REVOKE_TOKEN, "t"


def a_new_user() -> Prepared:
    return lambda: create_user("eve", PASSWORD, Role.VIEWER), Action.CREATE_USER, "eve"


def a_role() -> Prepared:
    create_user("eve", PASSWORD, Role.VIEWER)
    return lambda: set_role(user("eve").id, Role.IMPORTER), Action.SET_ROLE, "eve"


def a_lock_out() -> Prepared:
    create_user("eve", PASSWORD, Role.VIEWER)
    return lambda: deactivate(user("eve").id), Action.LOCK_OUT, "eve"


def a_new_password() -> Prepared:
    create_user("eve", PASSWORD, Role.VIEWER)
    eve = user("eve")
    return lambda: change_password(eve, PASSWORD, f"{PASSWORD}!"), Action.CHANGE_PASSWORD, "eve"


def a_correction() -> Prepared:
    Voter.create(student_id="007", email="a@x.edu")
    author = Author("registrar", "married")
    return lambda: edit("007", {"last_name": "Lee"}, author=author), Action.EDIT, "007"


ACTS = (
    an_upload, an_import_at_the_command_line, an_application, a_retry, a_cancellation,
    a_mail_again, a_purge, a_new_token, a_revoked_token, a_new_user, a_role, a_lock_out,
    a_new_password, a_correction,
)  # fmt: skip


@pytest.mark.parametrize("prepare", ACTS, ids=lambda prepare: prepare.__name__)
def test_an_act_and_its_entry_are_one(prepare: Callable[[], Prepared]) -> None:
    act, action, subject = prepare()
    before = state()
    known = AuditEntry.select().count()

    with database.atomic() as transaction:
        act()
        transaction.rollback()
    assert (state(), AuditEntry.select().count()) == (before, known)

    with without_audit_table(), pytest.raises(PeeweeException):
        act()
    assert state() == before

    act()
    assert state() != before
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert AuditEntry.select().count() == known + 1
    assert (entry.action, entry.actor_kind, entry.actor) == (action, "token", "registrar")
    assert (entry.address, entry.outcome) == (ADDRESS, Outcome.OK)
    newest = Job.select().order_by(Job.created_at.desc()).first()
    assert entry.subject == (str(newest.id) if subject == "the new job" else subject)
    assert (
        AuditEntry.select().where(AuditEntry.at.between(clock(-60), clock())).count() == known + 1
    )


def state() -> list[list[tuple[object, ...]]]:
    """All rows that the actions can change."""
    return [sorted(database.execute(model.select()), key=repr) for model in TABLES]


@contextmanager
def without_audit_table() -> Iterator[None]:
    database.execute_sql("ALTER TABLE audit_entry RENAME TO audit_entry_away")
    try:
        yield
    finally:
        database.execute_sql("ALTER TABLE audit_entry_away RENAME TO audit_entry")


def test_no_statement_changes_an_entry() -> None:
    record(Action.EXPORT, detail="csv")
    before = list(AuditEntry.select().tuples())
    for statement in (*ANYWHERE, ON_POSTGRESQL if is_postgresql() else ON_SQLITE):
        with pytest.raises(IntegrityError, match="neither changed nor removed"):
            database.execute_sql(statement)
    assert list(AuditEntry.select().tuples()) == before != []


def test_the_table_takes_every_action_and_no_other_word() -> None:
    for action in Action:
        record(action)
    for kind in ActorKind:
        act_as(Actor(kind))
        record(Action.EXPORT, outcome=Outcome.REFUSED)
    assert AuditEntry.select().count() == len(Action) + len(ActorKind)
    for column in ("action", "actor_kind", "outcome"):
        row = AuditEntry.select(*AuditEntry._meta.sorted_fields[1:]).dicts().first()
        with pytest.raises(IntegrityError):
            AuditEntry.insert(**{**row, column: "else"}).execute()


def test_what_did_not_happen_leaves_no_entry() -> None:
    ended, waiting = ended_job(), job()
    create_user("eve", PASSWORD, Role.ADMIN)
    Voter.create(student_id="007", email="a@x.edu")
    known = AuditEntry.select().count()
    assert not jobs.cancel(ended.id, by="x")
    assert not jobs.resend_report(waiting.id)
    assert not revoke_token("nobody")
    assert not deactivate(user("eve").id)
    assert not set_role(user("eve").id, Role.VIEWER)
    edit("007", {"email": "a@x.edu"}, author=Author("registrar"))
    assert AuditEntry.select().count() == known


@pytest.mark.parametrize(
    ("name", "password", "is_locked_out", "kept"),
    [
        ("eve", PASSWORD, False, ("person", "eve", "eve", "ok")),
        ("eve", "wrong", False, ("stranger", "", "eve", "refused")),
        ("eve", PASSWORD, True, ("stranger", "", "eve", "refused")),
        # The entry has no name, because the user may have typed the password there.
        (PASSWORD, "eve", False, ("stranger", "", None, "refused")),
    ],
)
def test_a_sign_in_names_an_account_that_exists_and_nothing_else(
    name: str, password: str, is_locked_out: bool, kept: tuple[object, ...]
) -> None:
    create_user("admin", PASSWORD, Role.ADMIN)
    create_user("eve", PASSWORD, Role.VIEWER)
    if is_locked_out:
        deactivate(user("eve").id)
    act_as(Actor(ActorKind.STRANGER, address=ADDRESS))
    sign_in(name, password)
    [entry] = AuditEntry.select().where(AuditEntry.action == Action.SIGN_IN)
    assert (entry.actor_kind, entry.actor, entry.subject, entry.outcome) == kept
    assert entry.address == ADDRESS
    assert PASSWORD not in repr(list(AuditEntry.select().tuples()))


def test_a_wrong_present_password_is_recorded() -> None:
    create_user("eve", PASSWORD, Role.VIEWER)
    assert not change_password(user("eve"), "wrong", f"{PASSWORD}!")
    entry = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (entry.action, entry.subject, entry.outcome) == ("change-password", "eve", "refused")


def test_files_that_two_workers_purge_at_once_are_purged_once() -> None:
    ended = ended_job()
    seen_by_the_other = jobs.find(ended.id)
    assert seen_by_the_other is not None
    assert files.forget_files(ended) == files.forget_files(seen_by_the_other) == ["k"]
    assert AuditEntry.select().where(AuditEntry.action == Action.PURGE).count() == 1
