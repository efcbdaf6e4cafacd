"""A client's socket that limits how long a thread waits for a slow client.

Only the time for which the thread waits for this client counts. Each byte that moves gives some
time back, up to the initial amount. A client that is fast enough may send and receive as much as it
likes. A client that stops is dropped. The service's own time does not count against the client.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from api.middleware.errors import TooSlow


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a thread waits for a client.

    The client begins with `seconds`. It gains one second for every `bytes_per_second` bytes that
    move. It never has more than `seconds`, which is the wait for a client that does not move at
    all.
    """

    seconds: float
    bytes_per_second: int


# No thread waits for a client without a credential. The main loop collects the forms of public
# pages. It also sends what such a client does not take immediately, at most one public file.
STRANGER = Pace(seconds=0.0, bytes_per_second=32 * 1024)
# A client with a credential may be on a mobile connection that is interrupted for a while.
AUTHENTICATED = Pace(seconds=60.0, bytes_per_second=2 * 1024)
# A thread leaves this much of a known client's response to the main loop.
BACKLOG_BYTES = 64 * 1024
# The kernel buffers this much of a response before it is on its way. The default is some megabytes.
UNSENT_BYTES = 64 * 1024


class PacedSocket(socket.socket):
    """The connection of one client. It takes over the descriptor of an accepted socket."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(fileno=connection.detach())
        # Only TCP sockets have this option, and not on every system.
        with suppress(OSError, AttributeError):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self._backlog: deque[memoryview] = deque()
        self.backlog_bytes = 0
        self.begin()

    def begin(self) -> None:
        """Begin a new request, whose client has shown no credential yet."""
        self.show(STRANGER)

    def show(self, pace: Pace) -> None:
        """Give the client this pace, with its full time, from now on."""
        self.pace = pace
        self._patience_seconds = pace.seconds

    @property
    def has_backlog(self) -> bool:
        """Whether a part of a response still waits for the client."""
        return bool(self._backlog)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """Receive bytes. A thread waits for them, and raises TooSlow if the client is too slow."""
        if self.gettimeout() == 0.0:
            return super().recv(bufsize, flags)
        self._wait_for(select.POLLIN)
        data = super().recv(bufsize, flags)
        self._earn(len(data))
        return data

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send what the client takes immediately, and keep the rest.

        A thread waits only for a known client that leaves much of a response. Raises TooSlow.
        """
        if data:
            self._backlog.append(memoryview(data))
            self.backlog_bytes += len(data)
        self.send_backlog()
        while self.pace is not STRANGER and self.backlog_bytes > BACKLOG_BYTES:
            try:
                self._wait_for(select.POLLOUT)
            except TooSlow:
                self._forget_backlog()
                raise
            self.send_backlog()

    def send(self, data: Any, flags: int = 0, /) -> int:
        """Send like `sendall`, so that Gunicorn's `100 Continue` is as patient as a response."""
        self.sendall(data)
        return len(data)

    def send_backlog(self) -> None:
        """Send what the client takes immediately, whether the socket is blocking or not."""
        while self._backlog:
            data = self._backlog[0]
            try:
                sent_bytes = super().send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                self._forget_backlog()
                raise
            self.backlog_bytes -= sent_bytes
            self._earn(sent_bytes)
            if sent_bytes == len(data):
                self._backlog.popleft()
            else:
                self._backlog[0] = data[sent_bytes:]

    def _forget_backlog(self) -> None:
        self._backlog.clear()
        self.backlog_bytes = 0

    def _wait_for(self, event: int) -> None:
        seconds = max(self._patience_seconds, 0.0)
        if (timeout := self.gettimeout()) is not None:
            seconds = min(seconds, timeout)
        start = time.monotonic()
        poll = select.poll()
        poll.register(self, event)
        if not poll.poll(1000 * seconds):
            raise TooSlow
        self._patience_seconds -= time.monotonic() - start

    def _earn(self, moved_bytes: int) -> None:
        seconds = self._patience_seconds + moved_bytes / self.pace.bytes_per_second
        self._patience_seconds = min(seconds, self.pace.seconds)


def give_time(environ: Mapping[str, Any]) -> None:
    """Give a known client's time to the request, because it has shown a credential."""
    client = environ.get("gunicorn.socket")
    if isinstance(client, PacedSocket):
        client.show(AUTHENTICATED)
