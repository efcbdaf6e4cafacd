"""The Procfile as a platform runs it: machines without a shared disk, set by their environment."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from time import sleep
from urllib.parse import urlsplit

import pytest

from benchmarks.rolls import write_csv
from tests.support.deployment import deployed, start_web, wait_for_web
from tests.support.load import Load, load_on
from tests.support.object_server import ObjectServer, environment
from tests.support.relay import Relay, relay_to
from tests.support.running import Service, form, wait_for

pytestmark = pytest.mark.service

LARGE_ROWS = 40_000
ROLL = b"student_id,email\nA-1,a1@x.edu\nA-2,not an address\n"
# A platform's router uses the new process first. The old one gets its signal a little later.
ROUTER_SECONDS = 0.3


@pytest.fixture(params=["database", "s3"])
def machines(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    fresh_postgresql_url: str,
    fresh_rabbitmq_url: str,
    buckets: ObjectServer,
) -> Iterator[tuple[Service, Service]]:
    store = "database:" if request.param == "database" else f"s3://{buckets.new_bucket()}/uploads"
    settings = {
        # The form and the name that platforms use.
        "DATABASE_URL": fresh_postgresql_url.replace("postgresql://", "postgres://"),
        "CLOUDAMQP_URL": fresh_rabbitmq_url,
        "UPLOAD_STORE": store,
        **environment(buckets.url),
    }
    with deployed(tmp_path, settings) as machines:
        yield machines


def test_machines_share_files_and_are_replaced_without_loss(
    machines: tuple[Service, Service], tmp_path: Path
) -> None:
    """The machines share no disk."""
    one, other = machines
    other.start("worker")
    check_that_files_cross(one, other)
    one.start("worker")
    with relay_to(one.url) as router:
        front = Service(one.environment, router.url, one.token, one.inbox)
        large = write_csv(tmp_path / "large.csv", LARGE_ROWS).read_bytes()
        large_id = str(front.upload(large).body["task_id"])
        with load_on(front) as load:
            wait_for(lambda: is_started(front, large_id), "the large roll was not started")
            for machine in machines:
                replace_worker(machine)
            replace_web(one, router, load)
        check_that_nothing_was_lost(front, load)
        assert front.finished(large_id)["report"]["created"] == LARGE_ROWS


def check_that_files_cross(one: Service, other: Service) -> None:
    """Upload to one machine. The other's worker reads the file, and both serve its downloads."""
    task_id = one.upload(ROLL).body["task_id"]
    report = other.finished(task_id)["report"]
    assert (report["created"], report["errors"]) == (1, {"INVALID_EMAIL": 1})
    assert other.download(f"/api/jobs/{task_id}/file") == ROLL
    assert b"not an address" in one.download(f"/api/jobs/{task_id}/rejects.csv")
    assert other.get("/health/ready").body["storage"] == "ok"
    assert [machine for machine in (one, other) if (machine.folder / "var").exists()] == []


def is_started(service: Service, task_id: str) -> bool:
    return bool(service.status(task_id)["state"] == "STARTED")


def replace_worker(machine: Service) -> None:
    machine.start("worker", "next worker")
    machine.signal("worker", signal.SIGTERM)
    # It ends by the signal if it has not installed its handler yet.
    assert machine.wait_stopped("worker", 10) in (0, -signal.SIGTERM)


def replace_web(machine: Service, router: Relay, load: Load) -> None:
    """Stop the old process while it reads an upload, which it must still answer."""
    upload = HalfAnUpload(router.url, machine.token)
    start_web(machine, "next web")
    router.lead_to(wait_for_web(machine))
    sleep(ROUTER_SECONDS)
    machine.signal("web", signal.SIGTERM)
    before = len(load.jobs)
    wait_for(lambda: len(load.jobs) > before + 2, "the next process serves nobody")
    assert upload.answer().startswith(b"HTTP/1.1 202 ")
    assert machine.wait_stopped("web", 30) == 0


class HalfAnUpload:
    """An upload that is sent only in part."""

    def __init__(self, url: str, token: str) -> None:
        body, content_type = form(ROLL * 100)
        head = (
            f"POST /api/upload/ HTTP/1.1\r\nHost: x.edu\r\nAuthorization: Bearer {token}\r\n"
            f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._rest = body[len(body) // 2 :]
        parts = urlsplit(url)
        self._connection = socket.create_connection((parts.hostname, parts.port), timeout=20)
        self._connection.sendall(head.encode() + body[: len(body) // 2])

    def answer(self) -> bytes:
        """Send the rest and return the beginning of the answer."""
        with self._connection:
            self._connection.sendall(self._rest)
            return self._connection.recv(1024)


def check_that_nothing_was_lost(service: Service, load: Load) -> None:
    assert load.failures == []
    for student_id, task_id in load.jobs.items():
        report = service.finished(task_id)["report"]
        assert (report["created"], report["updated"]) == (1, 0)
        assert service.get(f"/api/voters/{student_id}/").status == 200
