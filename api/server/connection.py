"""The connection of a client in the main loop of `api.server.worker`."""

from typing import Any

from gunicorn.workers.gthread import TConn

READ_BYTES = 32 * 1024


class Connection(TConn):  # type: ignore[misc]
    """Gunicorn's connection, with the bytes that the main loop has received or dropped."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.received = bytearray()
        # The number of bytes that a thread needs to begin. None until the head is complete.
        self.whole_bytes: int | None = None
        self.is_liveness_check = False
        self.dropped_bytes = 0
        self.gives_up_at = 0.0

    @property
    def is_closed(self) -> bool:
        """Whether our end is closed."""
        return bool(self.sock.fileno() < 0)

    def receive(self) -> bytes | None:
        """Return the bytes that have arrived: None if there are none yet, empty at the end."""
        try:
            return bytes(self.sock.recv(READ_BYTES))
        except BlockingIOError:
            return None
        except OSError:
            return b""
