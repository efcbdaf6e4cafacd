"""A server of buckets on loopback: moto's S3.

Google Cloud Storage uses the same XML API with other credentials. This server does not check them.
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
    """A running server of buckets."""

    url: str
    process: "subprocess.Popen[bytes]"

    def new_bucket(self) -> str:
        """Create an empty bucket and return its name.

        The name has only letters and digits, because moto does not accept encoded names.
        """
        name = f"voters{uuid4().hex[:12]}"
        self.ask(f"/{name}", "PUT")
        return name

    def ask(self, path: str, method: str = "GET") -> str:
        """Send a request to the server and return the body of its answer."""
        request = urllib.request.Request(self.url + path, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())


def environment(url: str) -> dict[str, str]:
    """The environment variables for a server at this URL."""
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
    """Run a server while the block runs. Its data is in memory and is lost at the end."""
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
