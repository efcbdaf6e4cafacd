"""A private PostgreSQL cluster: a temporary folder, a free port, loopback only."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chaos.ports import free_ports, is_open
from chaos.processes import wait_until

BINARIES = Path("/usr/lib/postgresql")
START_SECONDS = 30


class Cluster:
    """One server that can be stopped, crashed and started again."""

    def __init__(self, folder: Path) -> None:
        self._data = folder / "data"
        self._log = folder / "postgresql.log"
        self._port = free_ports(1)[0]
        self._server: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}/postgres"

    @contextmanager
    def open(self) -> Iterator["Cluster"]:
        """Run a new, empty cluster while the block runs."""
        self._data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self._data, "postgres", "postgres")
        self._data.chmod(0o700)
        subprocess.run(
            [_binary("initdb"), "-D", self._data, "-U", "postgres", "-A", "trust", "-N",
             "-E", "UTF8", "--locale=C.UTF-8"],
            check=True, stdout=subprocess.DEVNULL, cwd="/", **_owner(),
        )  # fmt: skip
        try:
            self.start()
            yield self
        finally:
            self.stop(signal.SIGQUIT)

    def start(self) -> None:
        """Start the server and wait until it accepts connections."""
        with self._log.open("ab") as log:
            self._server = subprocess.Popen(
                [_binary("postgres"), "-D", self._data, "-h", "127.0.0.1", "-p", str(self._port),
                 "-k", "", "-c", "fsync=off", "-c", "max_connections=60"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                start_new_session=True, **_owner(),
            )  # fmt: skip
        if not wait_until(lambda: is_open(self._port), START_SECONDS):
            raise RuntimeError("the private PostgreSQL did not start")

    def stop(self, number: signal.Signals) -> None:
        """Stop the server: SIGINT ends every session, SIGQUIT is a crash with later recovery."""
        if self._server is not None:
            self._server.send_signal(number)
            try:
                self._server.wait(20)
            except subprocess.TimeoutExpired:
                self._server.kill()
                self._server.wait()


def _binary(name: str) -> str:
    newest = sorted(BINARIES.glob(f"*/bin/{name}"), key=lambda binary: int(binary.parts[-3]))
    path = str(newest[-1]) if newest else shutil.which(name)
    if path is None:
        raise RuntimeError(f"{name} of PostgreSQL is not installed")
    return path


def _owner() -> dict[str, Any]:
    """The user that runs the server, because PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "postgres", "group": "postgres", "extra_groups": []}
