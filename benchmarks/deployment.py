"""The service as in the Procfile, on PostgreSQL and RabbitMQ, for one measurement."""

import json
import secrets
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.databases import postgresql_database
from chaos.ports import free_ports, is_open
from chaos.processes import BIN, MARK, Fleet, wait_until
from chaos.rabbitmq import Node

ROOT = Path(__file__).resolve().parent.parent
FINAL = ("SUCCESS", "FAILURE", "REVOKED")
STARTED_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Deployment:
    """The running processes, the URL of the web process, and a token with `read` and `import`."""

    fleet: Fleet
    url: str
    token: str
    folder: Path

    def upload(self, roll: Path) -> str:
        """Upload a file with curl, which streams it. Returns the job's id."""
        answer = subprocess.run(
            ["curl", "--silent", "--show-error", "--fail", f"{self.url}/api/upload/",
             "--header", f"Authorization: Bearer {self.token}", "--form", f"file=@{roll}"],
            check=True, stdout=subprocess.PIPE,
        )  # fmt: skip
        return str(json.loads(answer.stdout)["task_id"])

    def status(self, job_id: str) -> Any:
        """The job's status document."""
        request = urllib.request.Request(f"{self.url}/api/task-status/{job_id}/")
        request.add_header("Authorization", f"Bearer {self.token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def wait_for(self, job_id: str, *states: str) -> None:
        """Wait until the job is in one of the states."""
        while self.status(job_id)["state"] not in states:
            time.sleep(0.1)


@contextmanager
def deploy(server_url: str, *, web: int, workers: int, **settings: str) -> Iterator[Deployment]:
    """Run `web` processes of Gunicorn and `workers` workers while the block runs.

    They use a new database on the PostgreSQL server and a private RabbitMQ. At the end of the block
    all processes are stopped and all data is deleted.
    """
    with ExitStack() as stack:
        name = stack.enter_context(tempfile.TemporaryDirectory(prefix="voter-load-"))
        folder = Path(name)
        for part in ("node", "logs", "tmp"):
            (folder / part).mkdir()
        mark = secrets.token_hex(8)
        node = stack.enter_context(Node(folder / "node", mark).open())
        database_url = stack.enter_context(postgresql_database(server_url))
        port = free_ports(1)[0]
        environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            MARK: mark,
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "DATABASE_URL": database_url,
            "BROKER_URL": node.url,
            "UPLOAD_STORE": f"file:{folder}/uploads",
            "PORT": str(port),
            "WEB_CONCURRENCY": str(web),
            **settings,
        }
        fleet = Fleet(ROOT, environment, folder / "logs")
        stack.callback(fleet.stop)
        token = fleet.command("create-token", "load", "--scope", "read", "--scope", "import")
        fleet.start("web")
        for number in range(workers):
            fleet.start(f"worker-{number + 1}")
        if not wait_until(lambda: is_open(port), STARTED_SECONDS):
            raise SystemExit("the web process did not start")
        yield Deployment(fleet, f"http://127.0.0.1:{port}", token, folder)
