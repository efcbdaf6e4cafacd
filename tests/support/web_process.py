"""Gunicorn as the Procfile starts it, on its own database."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.settings import PROJECT_ROOT
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.schema import migrate
from tests.conftest import opened
from tests.support.running import WAIT_SECONDS, children, procfile, wait_for
from tests.support.services import free_port


@dataclass(frozen=True, slots=True)
class WebProcess:
    """A running web process: its port, its log, and a token with `read` and `import`."""

    port: int
    token: str
    log: Path
    process: "subprocess.Popen[bytes]"

    @property
    def workers(self) -> list[int]:
        """The ids of the processes that serve requests."""
        return children(self.process.pid)

    def connect(self) -> socket.socket:
        """Open a new connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=WAIT_SECONDS)


@contextmanager
def web_process(folder: Path, *, processes: int = 1, **settings: str) -> Iterator[WebProcess]:
    """Run the web process while the block runs. It must end with status 0 after SIGTERM."""
    url = f"sqlite:///{folder}/voters.db"
    with opened(url):
        migrate()
        token = create_token("test", [Scope.READ, Scope.IMPORT])
    port = free_port()
    environment = {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "DEBUG": "1",
        "DATABASE_URL": url,
        "BROKER_URL": f"filesystem://{folder}/broker",
        "UPLOAD_STORE": f"file:{folder}/uploads",
        "PORT": str(port),
        "WEB_CONCURRENCY": str(processes),
        **settings,
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", f"exec {procfile()['web']}"],
            cwd=PROJECT_ROOT,
            env=environment,
            stderr=log,
        )
    try:
        wait_until_it_answers(port, process)
        web = WebProcess(port, token, folder / "log", process)
        # The arbiter listens before it starts them.
        wait_for(lambda: len(web.workers) == processes, "not every process has started")
        yield web
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(WAIT_SECONDS) == 0, (folder / "log").read_text()


def wait_until_it_answers(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the process accepts a connection."""

    def is_taken() -> bool:
        assert process.poll() is None, "the web process has ended"
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    wait_for(is_taken, "the web process did not start")
