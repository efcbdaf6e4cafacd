"""A client's socket that ends the patience of a thread with a slow client.

What counts is the time for which the thread waits for this client. Each byte that moves earns some
time back, up to what the client had at first. A client that is fast enough may send and take as
much as it likes, one that stops is given up, and the service's own time costs the client nothing.
"""

import errno
import select
import socket
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a thread waits: some seconds, and one more for each so many bytes, but never longer
    at a time than for one that does not move at all."""

    seconds: float
    bytes_per_second: int


# No thread waits for a stranger. The main loop collects the forms of public pages, and sends what a
# stranger does not take at once, which is never larger than a public file.
STRANGER = Pace(seconds=0.0, bytes_per_second=32 * 1024)
# Who has shown a credential may be on a mobile line that breaks off for a while.
KNOWN = Pace(seconds=60.0, bytes_per_second=2 * 1024)
# What a thread leaves to the main loop of a known client's answer.
BACKLOG_BYTES = 64 * 1024
# What the kernel keeps of an answer before it is on its way: without a bound some megabytes.
UNSENT_BYTES = 64 * 1024


class TooSlow(TimeoutError):
    """The client was waited for long enough."""

    def __init__(self) -> None:
        # To Gunicorn a connection that has broken off, which is no news.
        super().__init__(errno.EPIPE, "the client is too slow")


class PacedSocket(socket.socket):
    """A connection of one client, which takes over the descriptor of an accepted socket."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(fileno=accepted.detach())
        # No other kind of socket, and not every system, has such a bound.
        with suppress(OSError, AttributeError):
            self.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        self._backlog: deque[memoryview] = deque()
        self.backlog_bytes = 0
        self.begin()

    def begin(self) -> None:
        """A new request, by a client that has shown nothing yet."""
        self.show(STRANGER)

    def show(self, pace: Pace) -> None:
        """The client gets this pace from now on."""
        self.pace = pace
        self._patience_seconds = pace.seconds

    @property
    def has_backlog(self) -> bool:
        """Whether some of an answer still waits for the client."""
        return bool(self._backlog)

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        """In a thread: raises TooSlow."""
        if self.gettimeout() == 0.0:
            return super().recv(bufsize, flags)
        self._wait_for(select.POLLIN)
        data = super().recv(bufsize, flags)
        self._earn(len(data))
        return data

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Send what the client takes at once, and keep the rest.

        Only a known client that leaves much of an answer is waited for. Raises TooSlow.
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
        """As `sendall`: Gunicorn's word that a body may come is as patient as an answer."""
        self.sendall(data)
        return len(data)

    def send_backlog(self) -> None:
        """Send what the client takes at once, in whatever mode the socket is."""
        while self._backlog:
            data = self._backlog[0]
            try:
                sent = super().send(data, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return
            except OSError:
                self._forget_backlog()
                raise
            self.backlog_bytes -= sent
            self._earn(sent)
            if sent == len(data):
                self._backlog.popleft()
            else:
                self._backlog[0] = data[sent:]

    def _forget_backlog(self) -> None:
        self._backlog.clear()
        self.backlog_bytes = 0

    def _wait_for(self, event: int) -> None:
        seconds = max(self._patience_seconds, 0.0)
        if (timeout := self.gettimeout()) is not None:
            seconds = min(seconds, timeout)
        started = time.monotonic()
        poll = select.poll()
        poll.register(self, event)
        if not poll.poll(1000 * seconds):
            raise TooSlow
        self._patience_seconds -= time.monotonic() - started

    def _earn(self, moved_bytes: int) -> None:
        earned = self._patience_seconds + moved_bytes / self.pace.bytes_per_second
        self._patience_seconds = min(earned, self.pace.seconds)


def give_time(environ: Mapping[str, Any]) -> None:
    """Whoever sends this request has shown a credential."""
    client = environ.get("gunicorn.socket")
    if isinstance(client, PacedSocket):
        client.show(KNOWN)
