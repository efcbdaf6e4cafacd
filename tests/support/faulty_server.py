"""A server in front of the bucket server that answers the first requests with an error."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

ENDLESS = 10**9
FAULT = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>Please wait.</Message></Error>"


class FaultyServer(ThreadingHTTPServer):
    """Answers `faults` requests with `status`, and passes the others to the server behind it."""

    daemon_threads = True

    def __init__(self, target: str, status: int, code: str, faults: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.target = str(urlsplit(target).netloc)
        self.status = status
        self.body = FAULT.format(code=code).encode()
        self.left = faults
        self.given = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def takes_one(self) -> bool:
        """Whether this request gets the error."""
        with self.lock:
            is_faulty = self.left > 0
            self.left -= is_faulty
            self.given += is_faulty
            return is_faulty


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: FaultyServer

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.takes_one():
            self._send(self.server.status, self.server.body, {})
            return
        behind = http.client.HTTPConnection(self.server.target, timeout=20)
        try:
            behind.request(self.command, self.path, body, dict(self.headers))
            answer = behind.getresponse()
            self._send(answer.status, answer.read(), dict(answer.headers))
        finally:
            behind.close()

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer  # noqa: N815 - the library's names

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "connection", "date", "server"}:
                self.send_header(name, value)
        length = headers.get("Content-Length", "0") if self.command == "HEAD" else len(body)
        self.send_header("Content-Length", str(length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Log nothing, because it would mix with the output of the tests."""


@contextmanager
def faulty_server(
    target: str, status: int, code: str, faults: int = ENDLESS
) -> Iterator[FaultyServer]:
    """Run the server while the block runs."""
    with FaultyServer(target, status, code, faults) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(20)
