"""A client's socket that ends the patience of a thread with a slow client.

What counts is the time for which the thread has waited for this client. Each byte that moves
earns some more, so a client that is fast enough may send and take as much as it likes, and the
service's own time for an answer costs the client nothing.
"""

import errno
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a thread waits: some seconds, and one more for each so many bytes."""

    seconds: float
    bytes_per_second: int


# A thread reads nothing of a stranger but a form of a public page, and sends small answers.
STRANGER = Pace(seconds=5.0, bytes_per_second=32 * 1024)
# Who has shown a credential may be on a mobile line that breaks off for a while.
KNOWN = Pace(seconds=60.0, bytes_per_second=2 * 1024)
GOOD_BYE_SECONDS = 1.0


class TooSlow(TimeoutError):
    """The client was waited for long enough."""

    def __init__(self) -> None:
        # To Gunicorn a connection that has broken off, which is no news.
        super().__init__(errno.EPIPE, "the client is too slow")


class PacedSocket(socket.socket):
    """A connection of one client, which takes over the descriptor of an accepted socket."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(fileno=accepted.detach())
        self.begin()

    def begin(self) -> None:
        """A new request, by somebody who has shown nothing yet."""
        self.pace = STRANGER
        self._waited_seconds = 0.0
        self._moved_bytes = 0

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Raises TooSlow; the client has a moment left then to take an answer."""
        try:
            data = self._waiting(lambda: super(PacedSocket, self).recv(bufsize, flags))
        except TooSlow:
            self._waited_seconds -= GOOD_BYE_SECONDS
            raise
        self._moved_bytes += len(data)
        return data

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Raises TooSlow. The bytes count before they are sent: one call takes them all."""
        self._moved_bytes += len(data)
        self._waiting(lambda: super(PacedSocket, self).sendall(data, flags))

    def _waiting(self, act: Callable[[], Answer]) -> Answer:
        if self.gettimeout() == 0.0:
            return act()
        seconds = self._seconds_left()
        if seconds <= 0:
            raise TooSlow
        self.settimeout(seconds)
        started = time.monotonic()
        try:
            return act()
        except TimeoutError:
            raise TooSlow from None
        finally:
            self._waited_seconds += time.monotonic() - started
            self.settimeout(None)

    def _seconds_left(self) -> float:
        earned = self._moved_bytes / self.pace.bytes_per_second
        return self.pace.seconds + earned - self._waited_seconds


def give_time(environ: Mapping[str, Any]) -> None:
    """Whoever sends this request has shown a credential."""
    client = environ.get("gunicorn.socket")
    if isinstance(client, PacedSocket):
        client.pace = KNOWN
