"""A client's connection, as the main loop of `api.server.worker` keeps it."""

from typing import Any

from gunicorn.workers.gthread import TConn

READ_BYTES = 32 * 1024


class Connection(TConn):  # type: ignore[misc]
    """Gunicorn's, with what the client has sent of a request or what it still sends in vain."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.received = bytearray()
        # Of how many bytes a thread needs the first; None until the head is complete.
        self.whole_bytes: int | None = None
        self.dropped_bytes = 0
        self.gives_up_at = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether our end was closed."""
        return bool(self.sock.fileno() < 0)

    def receive(self) -> bytes | None:
        """What has arrived: nothing yet (None), or the connection's end (empty)."""
        try:
            return bytes(self.sock.recv(READ_BYTES))
        except BlockingIOError:
            return None
        except OSError:
            return b""
