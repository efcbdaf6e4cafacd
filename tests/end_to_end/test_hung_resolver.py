"""The effects of a resolver that never answers, which no timeout of a library covers."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest

from tests.support.running import ROOT, WAIT_SECONDS, Service, procfile, running_service, wait_for

SMALL = b"student_id,email\nhung-1,hung@x.edu\n"
# A loopback address that no other server uses. Resolvers only ask port 53.
NAMESERVER = "127.0.0.153"
BROKER = "amqp://voters:Xk3_vPq9@broker.hung.example//"
# The worker's loop without background threads, because one of them could ask first and block all.
LOOP_ALONE = """python -c '
from config.settings import load_settings
from consumer.worker import Worker
from shared.database.connection import open_database

settings = load_settings()
open_database(settings.database_url, answer_seconds=10)
Worker(settings).run()
'"""
DATABASE = "postgresql://nobody@database.hung.example/none"


@pytest.fixture
def questions() -> Iterator[socket.socket]:
    """A nameserver that receives queries and never answers."""
    if os.geteuid() != 0 or not shutil.which("unshare"):
        pytest.skip("only root may give a process another resolver")
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind((NAMESERVER, 53))
        server.settimeout(WAIT_SECONDS)
        yield server


@pytest.fixture
def service(questions: socket.socket, tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "resolv.conf").write_text(
        f"nameserver {NAMESERVER}\noptions timeout:30 attempts:1\n", encoding="ascii"
    )
    with running_service(tmp_path) as running:
        yield running


def start_hung(
    service: Service, name: str, folder: Path, command: str | None = None, **settings: str
) -> None:
    """Replace a process of the Procfile by one that uses the silent nameserver.

    It runs `command`, or else the command of the Procfile.
    """
    service.signal(name, signal.SIGTERM)
    service.wait_stopped(name)
    started = command or procfile()[name]
    look_up_there = f"mount --bind {folder}/resolv.conf /etc/resolv.conf"
    service.processes[name] = subprocess.Popen(
        ["unshare", "--mount", "/bin/sh", "-c", f"{look_up_there} && exec {started}"],
        cwd=ROOT,
        env={**service.environment, **settings},
        start_new_session=True,
    )


def assert_stops_in_time(service: Service) -> None:
    asked_at = time.monotonic()
    service.signal("worker", signal.SIGTERM)
    assert service.wait_stopped("worker") == 0
    assert time.monotonic() - asked_at < 3


def test_a_worker_works_and_stops_during_a_hung_broker_lookup(
    service: Service, questions: socket.socket, tmp_path: Path
) -> None:
    start_hung(service, "worker", tmp_path, BROKER_URL=BROKER)
    assert b"broker" in questions.recv(512)
    assert service.imported(SMALL)["state"] == "SUCCESS"
    assert_stops_in_time(service)


def test_a_worker_stops_while_the_database_is_looked_up(
    service: Service, questions: socket.socket, tmp_path: Path
) -> None:
    start_hung(service, "worker", tmp_path, LOOP_ALONE, DATABASE_URL=DATABASE)
    assert b"database" in questions.recv(512)
    assert_stops_in_time(service)


def test_a_hung_broker_lookup_does_not_delay_an_upload(service: Service, tmp_path: Path) -> None:
    start_hung(service, "web", tmp_path, BROKER_URL=BROKER)
    wait_for(lambda: is_live(service), "the web process did not start")
    seconds = []
    for _ in range(3):
        asked_at = time.monotonic()
        answer = service.upload(SMALL)
        seconds.append(time.monotonic() - asked_at)
        assert answer.status == 202
        assert service.finished(answer.body["task_id"])["state"] == "SUCCESS"
    # The median, because a busy machine may delay one of them.
    assert median(seconds) < 2, seconds


def is_live(service: Service) -> bool:
    try:
        return service.get("/health/live", token="").status == 200
    except OSError:
        return False
