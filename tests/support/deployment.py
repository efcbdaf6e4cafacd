"""Machines as a platform makes them.

Each is a copy of the code with its own disk and port. It gets all settings from its environment.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.running import ADMIN, BIN, ROOT, SECRET_KEY, Inbox, Service, answers, wait_for
from tests.support.services import free_port


@contextmanager
def deployed(folder: Path, settings: dict[str, str]) -> Iterator[tuple[Service, Service]]:
    """Two machines after their release, each with a web process and no worker yet.

    They share a token with the scope `admin`.
    """
    with Inbox().open() as inbox, ExitStack() as stopping:
        one = _machine(folder / "one", inbox, settings)
        other = _machine(folder / "other", inbox, settings)
        for machine in (one, other):
            stopping.callback(machine.stop)
        one.release()
        token = one.command("create-token", "tests", "--scope", "admin").stdout.strip()
        for machine in (one, other):
            machine.token = token
            start_web(machine)
        for machine in (one, other):
            wait_for_web(machine)
        yield one, other


def copy_code(folder: Path) -> None:
    """Copy what a clone would have, and the changes that are not committed yet."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def _machine(folder: Path, inbox: Inbox, settings: dict[str, str]) -> Service:
    copy_code(folder)
    environment = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "SECRET_KEY": SECRET_KEY,
        "TRUSTED_PROXIES": "1",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": str(inbox.port),
        "ADMIN_EMAIL": ADMIN,
        "WEB_CONCURRENCY": "1",
        **settings,
    }
    return Service(environment, "", "", inbox, folder=folder)


def start_web(machine: Service, name: str = "web") -> None:
    """Start a web process on a new port, and set the machine's URL to it."""
    port = free_port()
    machine.environment["PORT"] = str(port)
    machine.url = f"http://127.0.0.1:{port}"
    machine.start("web", name)


def wait_for_web(machine: Service) -> int:
    """Wait until the web process answers, and return its port."""
    port = int(machine.environment["PORT"])
    wait_for(lambda: answers(port), "the web process did not start")
    return port
