"""A server of buckets on loopback: moto's S3.

Google Cloud Storage speaks the same XML but for the credentials, which this server does not check.
"""

import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

from tests.support.running import wait_for
from tests.support.services import free_port


@dataclass(frozen=True, slots=True)
class ObjectServer:
    """A running server."""

    url: str
    process: "subprocess.Popen[bytes]"

    def new_bucket(self) -> str:
        """The name of an empty bucket, of letters and digits alone: moto takes no encoded ones."""
        name = f"voters{uuid4().hex[:12]}"
        self.ask(f"/{name}", "PUT")
        return name

    def ask(self, path: str, method: str = "GET") -> str:
        """What the server itself says."""
        request = urllib.request.Request(self.url + path, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())


def environment(url: str) -> dict[str, str]:
    """The variables that lead to a server at this address."""
    return {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test-secret",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": url,
        "GOOGLE_BEARER_TOKEN": "test",
        "GOOGLE_BASE_URL": url,
    }


@contextmanager
def object_server() -> Iterator[ObjectServer]:
    """Start it, and kill it at the end with all that it holds in memory."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = ObjectServer(f"http://127.0.0.1:{port}", process)
    try:
        wait_for(lambda: _answers(server), "the object server did not start")
        yield server
    finally:
        process.kill()
        process.wait(10)


def _answers(server: ObjectServer) -> bool:
    try:
        server.ask("/")
    except OSError:
        return False
    return True
