"""Everything that changes data or hands out a file leaves an audit entry.

The tests walk all URLs and commands, so they include new ones.
"""

import io
import os
import pwd
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from api.app import create_app
from config.settings import Settings
from shared.access.models import ApiToken, User
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.access.users import Role, create_user, deactivate
from shared.audit import SERVICE, Action, AuditEntry, Outcome, record
from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs.states import OutboxState
from tests.support.api_client import HEADER, ApiClient
from tests.support.application import client_of
from tests.support.job_runs import finished
from tests.support.outbox_entries import set_mails
from tests.support.page_client import PASSWORD, Browser, browser_of, csrf_token

IMPORTS, TOKENS, USERS = "/admin/imports/", "/admin/tokens/", "/admin/people/"
VOTER = "/admin/voters/voter/?id=1"
ROWS = HEADER + b"1,Ann,Lee,ann@x.edu,Law,3,yes\n2,Ben,Ray,nobody,Law,1,yes\n"
READING = {"GET", "HEAD", "OPTIONS"}


class Office:
    """The application, a client with the scope `admin`, and the browser of an administrator."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = client_of(app, Scope.ADMIN)
        self.browser = browser_of(app, Role.ADMIN)
        self.finished = str(finished(app, self.client, ROWS))

    def waiting(self) -> str:
        return str(self.client.upload(ROWS).get_json()["task_id"])

    def failed(self) -> str:
        return str(finished(self.app, self.client, b"Town\nUlm\n"))

    def preview(self) -> str:
        return str(finished(self.app, self.client, ROWS, "dry_run=true"))

    def reported(self) -> str:
        """The finished job, whose report mail is sent."""
        set_mails(state=OutboxState.SENT, sent_at=clock())
        return self.finished

    def stale(self) -> str:
        """A preview that is outdated, because the roll has changed since."""
        preview = self.preview()
        finished(self.app, self.client, ROWS.replace(b"Ann", uuid4().hex.encode()))
        return preview

    def ask(self, action: str, job: str) -> TestResponse:
        return self.client.send("POST", f"/api/jobs/{job}/{action}/")

    def click(self, action: str, job: str) -> TestResponse:
        return self.post(f"{IMPORTS}{job}/{action}/", IMPORTS)

    def read(self, path: str, method: str = "GET") -> str:
        """Request a path, and return the Content-Disposition of the answer."""
        if path == "/admin/voters/voter/":
            path = VOTER
        with self.send(method, path) as answer:
            assert answer.status_code < 400, path
            return answer.headers.get("Content-Disposition", "")

    def send(self, method: str, path: str) -> TestResponse:
        if path.startswith("/admin"):
            return self.browser.client.open(path, method=method)
        return self.client.send(method, path)

    def post(self, path: str, form_of: str, **fields: object) -> TestResponse:
        return self.browser.post(path, form_of=form_of, **fields)


def correct(office: Office) -> TestResponse:
    tag = office.client.get("/api/voters/1/").headers["ETag"]
    change = {"first_name": "Anna", "reason": "spelling"}
    return office.client.send("PATCH", "/api/voters/1/", json=change, headers={"If-Match": tag})


def send_file(office: Office) -> TestResponse:
    fields = {"intent": "apply", "mode": "upsert", "file": (io.BytesIO(ROWS), "roll.csv")}
    return office.post("/admin/import/", "/admin/import/", **fields)


def correct_at_the_page(office: Office) -> TestResponse:
    page = office.browser.get(VOTER).get_data(as_text=True)
    version = page.partition('name="version"')[2].partition('value="')[2].partition('"')[0]
    fields = {"email": "anna@x.edu", "year": "3", "is_eligible": "yes", "reason": "moved"}
    names = {"first_name": "Anna", "last_name": "Lee", "department": "Law"}
    return office.post(VOTER, VOTER, version=version, **fields, **names)


def revoke(office: Office) -> TestResponse:
    create_token("to be revoked", [Scope.READ])
    token = ApiToken.get(ApiToken.name == "to be revoked")
    return office.post(f"{TOKENS}{token.id}/revoke/", TOKENS)


def at_user(office: Office, action: str, **fields: str) -> TestResponse:
    name = uuid4().hex
    create_user(name, PASSWORD, Role.VIEWER)
    return office.post(f"{USERS}{User.get(User.username == name).id}/{action}/", USERS, **fields)


def let_in(office: Office) -> TestResponse:
    name = uuid4().hex
    create_user(name, PASSWORD, Role.VIEWER)
    user_id = User.get(User.username == name).id
    deactivate(user_id)
    return office.post(f"{USERS}{user_id}/let-in/", USERS)


def change_password(office: Office) -> TestResponse:
    other = browser_of(office.app, Role.ADMIN, "clerk")
    new = f"{PASSWORD}!"
    return other.post(
        "/admin/account/", form_of="/admin/account/", old=PASSWORD, new=new, again=new
    )


# By endpoint: a function that uses it, and the action in its audit entry.
ACTS: dict[str, tuple[Callable[[Office], TestResponse], Action]] = {
    "Upload.upload": (lambda office: office.client.upload(ROWS), Action.UPLOAD),
    "Job actions.cancel": (lambda office: office.ask("cancel", office.waiting()), Action.CANCEL),
    "Job actions.retry": (lambda office: office.ask("retry", office.failed()), Action.RETRY),
    "Job actions.apply": (lambda office: office.ask("apply", office.preview()), Action.APPLY),
    "Job actions.resend_report": (
        lambda office: office.ask("resend-report", office.reported()), Action.RESEND_REPORT,
    ),
    "Voter.correct": (correct, Action.EDIT),
    "account.sign_in": (
        lambda office: Browser(office.app).sign_in("the admin"), Action.SIGN_IN
    ),
    "account.sign_out": (
        lambda office: browser_of(office.app, Role.VIEWER).post(
            "/admin/account/sign-out/", form_of="/admin/"
        ),
        Action.SIGN_OUT,
    ),
    "account.index": (change_password, Action.CHANGE_PASSWORD),
    "new_import.index": (send_file, Action.UPLOAD),
    "imports.cancel": (lambda office: office.click("cancel", office.waiting()), Action.CANCEL),
    "imports.retry": (lambda office: office.click("retry", office.failed()), Action.RETRY),
    "imports.preview": (lambda office: office.click("preview", office.stale()), Action.RETRY),
    "imports.apply": (lambda office: office.click("apply", office.preview()), Action.APPLY),
    "imports.resend": (
        lambda office: office.click("resend", office.reported()), Action.RESEND_REPORT
    ),
    "voters.correct": (correct_at_the_page, Action.EDIT),
    "tokens.index": (
        lambda office: office.post(TOKENS, TOKENS, name="registrar", scopes=["read"]),
        Action.CREATE_TOKEN,
    ),
    "tokens.revoke": (revoke, Action.REVOKE_TOKEN),
    "people.index": (
        lambda office: office.post(
            USERS, USERS, name="ann", role="viewer"
        ),
        Action.CREATE_USER,
    ),
    "people.change_role": (
        lambda office: at_user(office, "role", role="importer"), Action.SET_ROLE
    ),
    "people.lock_out": (lambda office: at_user(office, "lock-out"), Action.LOCK_OUT),
    "people.let_in": (let_in, Action.LET_IN),
    "people.reset_password": (
        lambda office: at_user(office, "reset-password"), Action.RESET_PASSWORD
    ),
}  # fmt: skip
FILES = {
    "Job files.original": Action.VIEW_FILE,
    "Job files.rejects": Action.VIEW_REJECTS,
    "Voter exports.export_csv": Action.EXPORT,
    "Voter exports.export_xlsx": Action.EXPORT,
    "imports.original": Action.VIEW_FILE,
    "imports.rejects": Action.VIEW_REJECTS,
    "voters.export_csv": Action.EXPORT,
    "voters.export_xlsx": Action.EXPORT,
}
WITHOUT_DATA = {"Template.template_csv", "Template.template_xlsx"}
COMMANDS: dict[str, tuple[list[str], Action | None]] = {
    "migrate": ([], Action.MIGRATE),
    "create-admin": (["--username", "ann", "--password", PASSWORD], Action.CREATE_USER),
    "create-token": (["t"], Action.CREATE_TOKEN),
    "revoke-token": (["t"], Action.REVOKE_TOKEN),
    "lock-out": (["bob"], Action.LOCK_OUT),
    "let-in": (["bob"], Action.LET_IN),
    "reset-password": (["bob"], Action.RESET_PASSWORD),
    "list-people": ([], None),
    "import": (["roll.csv"], Action.UPLOAD),
    "purge": (["--older-than", "0"], Action.PURGE),
    "status": ([], None),
    "erase-roll": (["--yes"], Action.ERASE_ROLL),
    "list-tokens": ([], None),
    "audit": ([], None),
    "openapi": (["print"], None),
}


@pytest.fixture
def office(app: Flask, settings: Settings) -> Office:
    mail = replace(settings.mail, recipients=("office@example.edu",))
    return Office(create_app(replace(settings, mail=mail)))


@contextmanager
def new_entries() -> Iterator[list[AuditEntry]]:
    """Yield a list that holds the audit entries of the block after its end."""
    found: list[AuditEntry] = []
    known = AuditEntry.select().count()
    yield found
    found.extend(AuditEntry.select().order_by(AuditEntry.id).offset(known).limit(100))


def addresses(office: Office) -> list[tuple[str, str, set[str]]]:
    """Endpoint, path and methods of every rule. A new parameter needs a value here."""
    places = {
        "task_id": office.finished,
        "student_id": "1",
        "token_id": 1,
        "user_id": 1,
        "name": "swagger-ui.css",
        "filename": "pages.css",
    }
    found = []
    with office.app.test_request_context():
        for rule in office.app.url_map.iter_rules():
            built = rule.build({name: places[name] for name in rule.arguments})
            assert built is not None
            found.append((rule.endpoint, built[1], set(rule.methods or ())))
    return found


def test_every_act_at_every_address_leaves_one_entry(office: Office) -> None:
    acting = {endpoint for endpoint, _, methods in addresses(office) if methods - READING}
    assert acting == set(ACTS)
    for endpoint, (act, action) in ACTS.items():
        with new_entries() as entries:
            answer = act(office)
        assert answer.status_code < 400, (endpoint, answer.get_data(as_text=True))
        entry = entries[-1]
        kind = "token" if endpoint[0].isupper() else "person"
        assert (entry.action, entry.actor_kind) == (action, kind), endpoint
        assert (entry.address, entry.outcome) == ("127.0.0.1", Outcome.OK), endpoint
        assert [each.action for each in entries].count(action) == 1, endpoint


def test_every_file_that_is_handed_out_leaves_one_entry(office: Office) -> None:
    handed_out = {}
    for endpoint, path, methods in addresses(office):
        if "GET" not in methods:
            continue
        with new_entries() as unseen:
            office.read(path, "HEAD")
        with new_entries() as entries:
            disposition = office.read(path)
        assert unseen == [], endpoint
        if disposition.startswith("attachment") and endpoint not in WITHOUT_DATA:
            handed_out[endpoint] = [entry.action for entry in entries]
        else:
            assert entries == [], endpoint
    assert handed_out == {endpoint: [action] for endpoint, action in FILES.items()}


def test_no_file_is_handed_out_without_its_entry(office: Office) -> None:
    paths = [path for endpoint, path, _ in addresses(office) if endpoint in FILES]
    database.execute_sql("ALTER TABLE audit_entry RENAME TO audit_entry_away")
    for path in paths:
        answer = office.send("GET", path)
        assert answer.status_code == 503, path
        assert b"ann@x.edu" not in answer.data


def test_signing_out_needs_no_entry(office: Office) -> None:
    token = csrf_token(office.browser.get("/admin/"))
    database.execute_sql("ALTER TABLE audit_entry RENAME TO audit_entry_away")
    answer = office.browser.client.post("/admin/account/sign-out/", data={"csrf_token": token})
    assert answer.status_code == 503
    assert office.browser.get("/admin/").status_code == 302


def test_an_export_entry_names_its_filters_but_not_their_values(office: Office) -> None:
    office.read("/api/voters/export.csv?q=secret&year=3")
    office.read("/admin/voters/export.xlsx")
    details = [entry.detail for entry in AuditEntry.select().order_by(AuditEntry.id)]
    assert details[-2:] == ["csv, by q, year", "xlsx, the whole roll"]


def test_every_command_that_changes_something_leaves_an_entry(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("roll.csv").write_bytes(ROWS)
    app = create_app(settings)
    assert set(app.cli.commands) == set(COMMANDS)
    done: list[AuditEntry] = []
    for name, (words, action) in COMMANDS.items():
        if name == "lock-out":
            create_user("bob", PASSWORD, Role.VIEWER)
            done = list(AuditEntry.select())
            database.close()
        result = app.test_cli_runner().invoke(args=[name, *words])
        assert result.exit_code == 0, result.output
        entries = list(AuditEntry.select().order_by(AuditEntry.id))[len(done) :]
        by_user = [entry for entry in entries if entry.actor_kind == "command-line"]
        assert [entry.action for entry in by_user] == ([] if action is None else [action]), name
        assert {entry.actor for entry in by_user} <= {pwd.getpwuid(os.getuid()).pw_name}
        assert {entry.address for entry in entries} <= {None}
        done += entries


def test_the_worker_s_change_of_the_roll_is_its_own(office: Office) -> None:
    with new_entries() as entries:
        preview, failed = office.preview(), office.failed()
        applied = str(finished(office.app, office.client, ROWS.replace(b"Ann", b"Anna")))
    assert [(entry.action, entry.actor_kind, entry.subject) for entry in entries] == [
        ("upload", "token", preview),
        ("upload", "token", failed),
        ("upload", "token", applied),
        ("import", "service", applied),
    ]
    assert (entries[0].detail, entries[3].detail) == (
        "as a preview",
        "0 voters created, 1 updated",
    )


def test_a_request_leaves_no_actor_in_its_thread(office: Office) -> None:
    office.read("/api/voters/")
    with new_entries() as entries:
        record(Action.PURGE)
    assert [entry.actor_kind for entry in entries] == [SERVICE.kind]


def test_strangers_cause_entries_only_with_wrong_passwords(app: Flask, settings: Settings) -> None:
    create_user("ann", PASSWORD, Role.VIEWER)
    most = settings.limits.sign_in_failures
    with new_entries() as entries:
        for _ in range(3):
            ApiClient(app, "nonsense").get("/api/voters/export.csv")
            app.test_client().get("/admin/voters/export.csv")
            app.test_client().post("/admin/account/sign-in/", data={"username": "ann"})
        stranger = Browser(app)
        for _ in range(most + 3):
            stranger.sign_in("ann", "wrong")
    assert [(entry.action, entry.outcome) for entry in entries] == [("sign-in", "refused")] * most
