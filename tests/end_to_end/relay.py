"""A way to a server that can freeze, as a network or a hung server does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

BLOCK_BYTES = 65_536


class Relay:
    """Passes bytes on in both directions until it is frozen; connections stay open then."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = [self._server]
        self._requests = threading.Event()
        self._answers = threading.Event()
        self.thaw()
        self.port = int(self._server.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def freeze(self) -> None:
        self._requests.clear()
        self._answers.clear()

    def freeze_answers(self) -> None:
        """What is asked still reaches the server."""
        self._answers.clear()

    def thaw(self) -> None:
        self._requests.set()
        self._answers.set()

    def close(self) -> None:
        self.thaw()
        for opened in self._sockets:
            # A thread may wait in it.
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                server = socket.create_connection(self._target)
                self._sockets += [client, server]
                for way in ((client, server, self._requests), (server, client, self._answers)):
                    threading.Thread(target=self._pass_on, args=way, daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket, flows: threading.Event) -> None:
        with suppress(OSError):
            while block := source.recv(BLOCK_BYTES):
                flows.wait()
                sink.sendall(block)
            sink.shutdown(socket.SHUT_WR)


@contextmanager
def relay_to(host: str, port: int) -> Iterator[Relay]:
    """A relay for the time of the block."""
    relay = Relay(host, port)
    try:
        yield relay
    finally:
        relay.close()
