"""A relay to a server that can freeze or break, as a network or a server does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

BLOCK_BYTES = 65_536


class Relay:
    """Passes bytes on in both directions.

    While frozen, it keeps its connections and passes nothing on. When closed, it breaks them and
    refuses new ones until it is opened again at the same port. `url` is the server's URL through
    the relay. `accepted` counts the connections.
    """

    def __init__(self, url: str) -> None:
        server = urlsplit(url)
        default = 5672 if server.scheme == "amqp" else 5432
        self._target = (str(server.hostname), server.port or default)
        self._requests = threading.Event()
        self._answers = threading.Event()
        self._last_words: bytes | None = None
        self._port = 0
        self.accepted = 0
        self.open()
        user = "".join(server.netloc.rpartition("@")[:2])
        self.url = server._replace(netloc=f"{user}127.0.0.1:{self._port}").geturl()

    def lead_to(self, port: int) -> None:
        """Lead new connections to another port. Existing ones stay."""
        self._target = (self._target[0], port)

    def open(self) -> None:
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = int(listener.getsockname()[1])
        self._sockets: list[socket.socket] = [listener]
        self.thaw()
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def freeze(self) -> None:
        self._requests.clear()
        self._answers.clear()

    def freeze_answers_to(self, words: bytes) -> None:
        """Stop all answers as soon as a request contains `words`. Requests still arrive."""
        self._last_words = words

    def thaw(self) -> None:
        self._last_words = None
        self._requests.set()
        self._answers.set()

    def close(self) -> None:
        self.thaw()
        for opened in self._sockets:
            # Wakes a thread that waits on this socket.
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self.accepted += 1
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for way in ((client, server, self._requests), (server, client, self._answers)):
                    threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, flows: threading.Event) -> None:
        with suppress(OSError):
            while block := source.recv(BLOCK_BYTES):
                is_asked = flows is self._requests
                if is_asked and self._last_words and self._last_words in block:
                    self._answers.clear()
                flows.wait()
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay_to(url: str) -> Iterator[Relay]:
    """Run a relay to the server of a URL while the block runs."""
    relay = Relay(url)
    try:
        yield relay
    finally:
        relay.close()
