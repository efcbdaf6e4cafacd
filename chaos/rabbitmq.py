"""A private RabbitMQ node with its own port mapper, on loopback only."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kombu.connection import Connection

from chaos.ports import free_ports, is_open
from chaos.processes import MARK, wait_until

# The package's own script. The one in /usr/sbin changes the user and drops the environment.
SCRIPTS = Path("/usr/lib/rabbitmq/lib")
START_SECONDS = 90


class Node:
    """One broker that can be killed, paused and started again."""

    def __init__(self, folder: Path, mark: str) -> None:
        self._folder = folder
        self._port, distribution_port, self._mapper_port = free_ports(3)
        self._process: subprocess.Popen[bytes] | None = None
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            MARK: mark,
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"chaos-{self._port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self._port),
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_PID_FILE": str(folder / "node.pid"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
            # Makes the script `exec` Erlang, which does not read the terminal (`-noinput`).
            "RABBITMQ_ALLOW_INPUT": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
                "-noinput -kernel inet_dist_use_interface {127,0,0,1}"
            ),
        }
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/"

    @contextmanager
    def open(self) -> Iterator["Node"]:
        """Run a new node without queues while the block runs."""
        (self._folder / "plugins").write_text("[].\n", encoding="ascii")
        (self._folder / "rabbitmq.conf").write_text("loopback_users.guest = true\n", "ascii")
        (self._folder / "environment").touch()
        with subprocess.Popen(
            [_mapper(), "-port", str(self._mapper_port), "-address", "127.0.0.1"],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as mapper:
            try:
                self.start()
                yield self
            finally:
                self.stop(signal.SIGKILL)
                mapper.kill()

    def start(self) -> None:
        """Start the node and wait until clients may log in."""
        with (self._folder / "node.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_script()],
                env=self._environment,
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if not wait_until(self._is_ready, START_SECONDS, 0.25):
            raise RuntimeError("the private RabbitMQ did not start")

    def send(self, number: signal.Signals) -> None:
        """Send a signal. SIGSTOP makes the node hang, SIGCONT lets it continue."""
        if self._process is not None:
            self._process.send_signal(number)

    def stop(self, number: signal.Signals) -> None:
        """Stop the node: SIGTERM for a clean end, SIGKILL for a crash."""
        if self._process is None:
            return
        self.send(signal.SIGCONT)
        self.send(number)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _is_ready(self) -> bool:
        if not is_open(self._port):
            return False
        with Connection(self.url, connect_timeout=2) as connection:
            try:
                connection.connect()
            except Exception:  # noqa: BLE001 - transports raise errors of no common family
                return False
            return True


def _script() -> Path:
    paths = sorted(SCRIPTS.glob("rabbitmq_server-*/sbin/rabbitmq-server"))
    if not paths:
        raise RuntimeError("RabbitMQ is not installed")
    return paths[-1]


def _mapper() -> str:
    path = shutil.which("epmd")
    if path is None:
        raise RuntimeError("Erlang is not installed")
    return path
