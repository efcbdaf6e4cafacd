"""The servers and programs for tests: new databases, vhosts and ports, or why one is missing."""

import fcntl
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
from kombu.connection import Connection
from psycopg import sql

from shared.broker.queues import DEAD_EXCHANGE, DEAD_QUEUE, EXCHANGE, QUEUE

POSTGRESQL = os.environ.get("TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
RABBITMQ = os.environ.get("TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
LIBREOFFICE = os.environ.get("TEST_LIBREOFFICE", "soffice")
CHROMIUM = os.environ.get("TEST_CHROMIUM", "chromium")
PROBE_SECONDS = 3
# Below the ports that the kernel gives to new connections.
_ports = iter(range(10_000, 30_000))
# A lock on one byte of this file reserves a port. It holds for all test runs on this machine, until
# the process with the lock ends.
_reservations = (Path(gettempdir()) / f"voters-test-ports-{os.getuid()}").open("ab")


class Missing(Exception):
    """A server or program that a test needs is missing. The text says which one and why."""


def probe_postgresql() -> None:
    """Raise `Missing` if a login to PostgreSQL fails."""
    try:
        psycopg.connect(POSTGRESQL, connect_timeout=PROBE_SECONDS).close()
    except psycopg.Error as error:
        raise Missing(f"PostgreSQL at {_place(POSTGRESQL)}: {_first_line(error)}") from error


def probe_rabbitmq() -> None:
    """Raise `Missing` if a login to RabbitMQ fails."""
    with Connection(RABBITMQ, connect_timeout=PROBE_SECONDS) as connection:
        try:
            connection.connect()
        except Exception as error:
            raise Missing(f"RabbitMQ at {_place(RABBITMQ)}: {_first_line(error)}") from error


def free_port() -> int:
    """A port of loopback on which no program listens.

    No other test process gets this port, and this process does not get it again.
    """
    for port in _ports:
        with socket.socket() as probe, suppress(OSError):
            fcntl.lockf(_reservations, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            probe.bind(("127.0.0.1", port))
            return port
    raise Missing("Every port for the tests is taken")


def probe_chromium() -> None:
    """Raise `Missing` if the browser is not installed."""
    if shutil.which(CHROMIUM) is None:
        raise Missing(f"The browser {CHROMIUM}: not installed")


def probe_pgbouncer() -> str:
    """The path of PgBouncer. Raises `Missing` if it is not installed."""
    if PGBOUNCER is None:
        raise Missing("The pooler pgbouncer: not installed")
    return PGBOUNCER


def probe_libreoffice() -> None:
    """Raise `Missing` if LibreOffice is not installed."""
    if shutil.which(LIBREOFFICE) is None:
        raise Missing(f"The spreadsheet program {LIBREOFFICE}: not installed")


@contextmanager
def postgresql_database() -> Iterator[str]:
    """Create an empty database, yield its URL, and drop it at the end even if it is in use."""
    name = f"voters_test_{uuid4().hex[:12]}"
    _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield urlsplit(POSTGRESQL)._replace(path=f"/{name}").geturl()
    finally:
        _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _administer(statement: sql.Composed) -> None:
    with psycopg.connect(POSTGRESQL, autocommit=True) as connection:
        connection.execute(statement)


@contextmanager
def rabbitmq_vhost() -> Iterator[str]:
    """The URL of a new vhost, or of the given broker if `rabbitmqctl` cannot be used.

    It takes seconds, because each call of `rabbitmqctl` starts an Erlang virtual machine.
    """
    name = f"voters-test-{uuid4().hex[:12]}"
    if not _rabbitmqctl("add_vhost", name):
        yield RABBITMQ
        return
    user = urlsplit(RABBITMQ).username or "guest"
    _rabbitmqctl("set_permissions", "-p", name, user, ".*", ".*", ".*")
    try:
        yield urlsplit(RABBITMQ)._replace(path=f"/{name}").geturl()
    finally:
        _rabbitmqctl("delete_vhost", name)


@contextmanager
def emptied_broker(url: str) -> Iterator[str]:
    """Delete the service's queues and exchanges on a broker, before and after the block."""
    _delete_queues(url)
    try:
        yield url
    finally:
        _delete_queues(url)


def _rabbitmqctl(*words: str) -> bool:
    if "TEST_RABBITMQ_URL" in os.environ or shutil.which("rabbitmqctl") is None:
        return False
    done = subprocess.run(
        ["rabbitmqctl", "--quiet", *words], capture_output=True, timeout=120, check=False
    )
    return done.returncode == 0


def _delete_queues(url: str) -> None:
    with Connection(url) as connection:
        for queue in (QUEUE, DEAD_QUEUE):
            connection.default_channel.queue_delete(queue.name)
        for exchange in (EXCHANGE, DEAD_EXCHANGE):
            connection.default_channel.exchange_delete(exchange.name)


def _place(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}"


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0]
