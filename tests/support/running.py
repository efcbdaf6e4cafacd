"""The service as it is deployed: the commands of the Procfile, each in its own process."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

import psycopg
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.settings import PROJECT_ROOT
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.connection import open_database
from shared.database.schema import migrate
from tests.support.services import free_port

T = TypeVar("T")

ROOT = PROJECT_ROOT
BIN = Path(sys.executable).parent
ADMIN = "admin@example.edu"
SECRET_KEY = "dX4k9_QmTz7wLr2bVnE8hYcJ0pGsUa5F"
FINAL = ("SUCCESS", "FAILURE", "REVOKED")
RELEASED = True
# Maximum wait for an event that is sure to come. A busy machine takes ten times as long as an idle
# one, and only a failing test waits so long.
WAIT_SECONDS = 60.0


class Inbox:
    """An SMTP server on loopback that stores all mails, and refuses the recipients in `refused`."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.refused: set[str] = set()
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.recipients.append(sorted(envelope.rcpt_tos))
        self.mails.append(mail)
        return "250 OK"

    @property
    def port(self) -> int:
        return int(self._controller.port)

    @contextmanager
    def open(self) -> Iterator["Inbox"]:
        self._controller.start()
        try:
            yield self
        finally:
            self._controller.stop()

    def mail_for(self, task_id: str, seconds: float = WAIT_SECONDS) -> EmailMessage:
        """Wait for the report mail of a job and return it."""
        return wait_for(
            lambda: next((mail for mail in self.mails if task_id in text_of(mail)), None),
            f"no mail for {task_id}",
            seconds=seconds,
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer with its JSON body."""

    status: int
    body: Any
    headers: Message


@dataclass
class Service:
    """A running service and a client of it.

    `folder` holds its code. While `log` names a file, new processes write their log there.
    """

    environment: dict[str, str]
    url: str
    token: str
    inbox: Inbox
    folder: Path = ROOT
    log: Path | None = None
    processes: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    def start(self, process: str, name: str | None = None) -> None:
        """Start a command of the Procfile."""
        with ExitStack() as opened:
            self.processes[name or process] = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {procfile(self.folder)[process]}"],
                cwd=self.folder,
                env=self.environment,
                stderr=opened.enter_context(self.log.open("ab")) if self.log else None,
                start_new_session=True,
            )

    def has_started(self, port: int) -> bool:
        """Whether the web process answers. It fails at once when the process has ended."""
        assert self.processes["web"].poll() is None, "the web process has ended"
        return answers(port)

    def release(self) -> None:
        """Run the release command, as a platform does before it starts new code."""
        self.start("release")
        assert self.wait_stopped("release") == 0

    def signal(self, name: str, number: signal.Signals) -> None:
        self.processes[name].send_signal(number)

    def stop_worker(self) -> None:
        """Stop the worker and its imports. A paused import could hold SQLite's write lock."""
        self.signal("worker", signal.SIGTERM)
        self.wait_stopped("worker")

    def wait_stopped(self, name: str, seconds: float = WAIT_SECONDS) -> int:
        return self.processes.pop(name).wait(seconds)

    def children(self, name: str = "worker") -> list[int]:
        """The process ids of the job processes of a worker that have a job."""
        return [each for each in _descendants(self.processes[name].pid) if _is_job(each)]

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(WAIT_SECONDS)

    def get(self, path: str, token: str | None = None) -> Answer:
        return self._send(urllib.request.Request(self.url + path), token)

    def post(self, path: str) -> Answer:
        return self._send(urllib.request.Request(self.url + path, method="POST"), None)

    def download(self, path: str) -> bytes:
        """Download a file from the API."""
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"Bearer {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            return bytes(answer.read())

    def upload(
        self,
        content: bytes,
        name: str = "roll.csv",
        mime_type: str = "text/csv",
        query: str = "",
        **headers: str,
    ) -> Answer:
        body, content_type = form(content, name, mime_type)
        request = urllib.request.Request(
            f"{self.url}/api/upload/{query}",
            data=body,
            headers={"Content-Type": content_type, **headers},
        )
        return self._send(request, None)

    def imported(
        self, content: bytes, name: str = "roll.csv", seconds: float = WAIT_SECONDS
    ) -> Any:
        """Upload a file, wait for the end of its job and return its last status."""
        answer = self.upload(content, name)
        assert answer.status == 202, answer
        return self.finished(answer.body["task_id"], seconds)

    def finished(self, task_id: str, seconds: float = WAIT_SECONDS) -> Any:
        def final() -> Any:
            status = self.status(task_id)
            return status if status["state"] in FINAL else None

        return wait_for(final, f"{task_id} did not finish", seconds=seconds)

    def status(self, task_id: str) -> Any:
        answer = self.get(f"/api/task-status/{task_id}/")
        assert answer.status == 200, answer
        return answer.body

    def voters(self) -> dict[str, Any]:
        """The whole roll by student id, read page by page."""
        roll: dict[str, Any] = {}
        page = 1
        while True:
            answer = self.get(f"/api/voters/?page_size=100&page={page}")
            assert answer.status == 200, answer
            roll.update({voter["student_id"]: voter for voter in answer.body})
            if page >= json.loads(answer.headers["X-Pagination"])["total_pages"]:
                return roll
            page += 1

    def command(self, *words: str, **kwargs: Any) -> "subprocess.CompletedProcess[str]":
        """Run a `flask` command in the service's environment."""
        return subprocess.run(
            [BIN / "flask", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=WAIT_SECONDS,
            check=False,
            **kwargs,
        )

    def _send(self, request: urllib.request.Request, token: str | None) -> Answer:
        if (shown := self.token if token is None else token) != "":
            request.add_header("Authorization", f"Bearer {shown}")
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
                return Answer(answer.status, json.load(answer), answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error), error.headers)


@contextmanager
def running_service(
    folder: Path, is_released: bool = False, /, **settings: str
) -> Iterator[Service]:
    """Run web and one worker on a migrated database, and a mail server for them.

    With `RELEASED`, the release command migrates the database, which takes a second more.
    """
    inbox = Inbox()
    port = free_port()
    environment = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(folder),
        "SECRET_KEY": SECRET_KEY,
        "DATABASE_URL": f"sqlite:///{folder}/voters.db",
        "BROKER_URL": f"filesystem://{folder}/broker",
        "UPLOAD_STORE": f"file:{folder}/uploads",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(inbox.port),
        "ADMIN_EMAIL": ADMIN,
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
        **settings,
    }
    service = Service(environment, f"http://127.0.0.1:{port}", "", inbox)
    with inbox.open():
        if is_released:
            service.release()
        service.token = _prepare_database(environment["DATABASE_URL"])
        try:
            service.start("web")
            service.start("worker")
            wait_for(lambda: service.has_started(port), "the web process did not start")
            yield service
        finally:
            service.stop()


def _prepare_database(url: str) -> str:
    """Migrate the database and return a new token with `read` and `import`.

    `flask migrate` and `flask create-token` would do the same in two seconds of a processor.
    """
    with open_database(url).connection_context():
        migrate()
        return create_token("a client", [Scope.READ, Scope.IMPORT])


def form(content: bytes, name: str = "roll.csv", mime_type: str = "text/csv") -> tuple[bytes, str]:
    """A file as a browser's form sends it: the body and its content type."""
    boundary = uuid4().hex
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {mime_type}\r\n\r\n"
    )
    body = b"".join((head.encode(), content, f"\r\n--{boundary}--\r\n".encode()))
    return body, f"multipart/form-data; boundary={boundary}"


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """The body of a mail as plain text, or as `html`."""
    body = mail.get_body((kind,))
    assert isinstance(body, EmailMessage)
    return str(body.get_content())


def procfile(folder: Path = ROOT) -> dict[str, str]:
    """The commands of the Procfile, by process name."""
    lines = (folder / "Procfile").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line.strip())


def wait_for(
    probe: Callable[[], T | None],
    failure: str,
    *,
    seconds: float = WAIT_SECONDS,
    every: float = 0.1,
) -> T:
    """Wait until `probe` returns a true value, and return it.

    Raises AssertionError with the text `failure` after `seconds`.
    """
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := probe():
            return found
        time.sleep(every)
    raise AssertionError(failure)


def wait_for_failed_transactions(postgresql_url: str, count: int) -> None:
    """Wait until so many more transactions of a database have failed than before the call."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:

        def failed() -> int:
            question = (
                "SELECT xact_rollback FROM pg_stat_database WHERE datname = current_database()"
            )
            row = connection.execute(question).fetchone()
            assert row is not None
            return int(row[0])

        before = failed()
        wait_for(lambda: failed() >= before + count, "no transaction fails")


def is_running(process: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return "State:\tZ" not in status


def children(process: int) -> list[int]:
    """The ids of the processes that a process has started, none if it has ended."""
    try:
        text = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(child) for child in text.split()]


def _descendants(process: int) -> Iterator[int]:
    """The children of a process, and theirs."""
    for child in children(process):
        yield child
        yield from _descendants(child)


def _is_job(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/comm").read_bytes() == b"job process\n"
    except (FileNotFoundError, ProcessLookupError):
        return False


def answers(port: int) -> bool:
    """Whether the application answers. The arbiter's socket alone is not enough."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
