"""Gunicorn's threaded worker, of which no client holds a thread without being served.

Gunicorn gives a thread to each new connection: it waits five seconds for the first byte there,
for ever for the rest of a request's head, and after an answer two to five seconds for a body that
nobody reads. A dozen idle connections keep all threads busy so. Here the main loop waits for all
of this, for any number of connections at once. A thread gets a request when its head is complete,
and gives the connection back with the answer; while it reads a body or sends an answer, its
patience is that of `api.paced_socket`.
"""

import logging
import socket
import time
from collections import deque
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import TConn, ThreadWorker

from api.paced_socket import PacedSocket
from api.refused_heads import answer_to

logger = logging.getLogger(__name__)

END_OF_HEAD = b"\r\n\r\n"
READ_BYTES = 64 * 1024
# A new connection, and the next request of a kept one once it has begun, must have sent a whole
# head after this long.
HEAD_SECONDS = 10.0
# Of a whole head, which the main loop keeps until it is complete.
HEAD_BYTES = 32 * 1024
# A client that sends a body in vain reads our answer only when the body is out, and loses it when
# the connection is reset (RFC 9112, section 9.6): so what it sends is read and dropped for a while.
LINGER_SECONDS = 20.0
LINGER_STALL_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024 * 1024
KEPT_BODY_BYTES = 64 * 1024


class Connection(TConn):  # type: ignore[misc]
    """A client's connection, with what it has sent of a head or what it still sends in vain."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.head = bytearray()
        self.dropped_bytes = 0
        self.gives_up_at = 0.0


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """One web process. The main loop's methods have Gunicorn's names and are called by it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.leaving: deque[Connection] = deque()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """TLS ends at a proxy: its handshake would be one more thing to wait for."""
        if cfg.is_ssl:
            raise RuntimeError("This worker speaks no TLS; put a proxy in front of it.")

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and wait for its first head."""
        try:
            accepted, address = listener.accept()
        except OSError:
            # Gone again, or out of descriptors: the next turn of the loop tries anew.
            return
        self.nr_conns += 1
        self._make_room()
        client = PacedSocket(accepted)
        self._await_head(Connection(self.cfg, client, address, listener.getsockname()))

    def _make_room(self) -> None:
        """Before the last place is taken, the one that has kept us waiting longest goes: whoever
        sends a whole head at once is served, however many others send none."""
        if self.nr_conns < self.worker_connections:
            return
        for waiting in (self.leaving, self.pending_conns, self.keepalived_conns):
            if waiting:
                conn = waiting.popleft()
                self.poller.unregister(conn.sock)
                self._drop(conn)
                return

    def on_client_socket_readable(self, conn: Connection, client: object) -> None:
        """The next request of a kept connection begins."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_head(conn)

    def _await_head(self, conn: Connection) -> None:
        conn.sock.setblocking(False)
        conn.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(conn)
        self._listen(conn, self.on_pending_socket_readable)

    def _listen(self, conn: Connection, act: Any) -> None:
        self.poller.register(conn.sock, 1, partial(act, conn))

    def on_pending_socket_readable(self, conn: Connection, client: object) -> None:
        """Some of a head has arrived."""
        data = _received(conn)
        if data is None:
            return
        seen_bytes = max(len(conn.head) - len(END_OF_HEAD), 0)
        conn.head += data
        is_ready = _is_ready(conn.head, seen_bytes)
        if data and not is_ready and len(conn.head) <= HEAD_BYTES:
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        if not data:
            self._drop(conn)
        elif is_ready:
            self._serve(conn)
        else:
            self.handle_error(
                None, conn.sock, conn.client, errors.LimitRequestHeaders("the whole head")
            )
            self._leave(conn)

    def _serve(self, conn: Connection) -> None:
        conn.sock.begin()
        conn.init()
        conn.parser.unreader.unread(bytes(conn.head))
        conn.head.clear()
        self.enqueue_req(conn)

    def _drop(self, conn: Connection) -> None:
        self.nr_conns -= 1
        conn.close()

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """Keep the connection if the body was read, or the rest of it is here already."""
        if not keepalive:
            return False
        conn.sock.setblocking(False)
        try:
            return bool(conn.parser.finish_body(max_bytes=KEPT_BODY_BYTES))
        except (OSError, errors.ParseException):
            return False

    def finish_request(self, conn: Connection, served: Any) -> None:
        """A thread has answered: keep the connection, or say good-bye."""
        if served.cancelled() or served.exception() or not served.result():
            self._leave(conn)
            return
        conn.head += conn.parser.unreader.take_buffered()
        if not conn.head:
            super().finish_request(conn, served)
        elif _is_ready(conn.head, 0):
            self._serve(conn)
        else:
            self._await_head(conn)

    def _leave(self, conn: Connection) -> None:
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
        except OSError:
            self._drop(conn)
            return
        conn.gives_up_at = time.monotonic() + LINGER_SECONDS
        conn.timeout = time.monotonic() + LINGER_STALL_SECONDS
        self.leaving.append(conn)
        self._listen(conn, self.on_leaving_socket_readable)

    def on_leaving_socket_readable(self, conn: Connection, client: object) -> None:
        """More of what nobody reads, or the client's end."""
        data = _received(conn)
        if data is None:
            return
        conn.dropped_bytes += len(data)
        conn.timeout = time.monotonic() + LINGER_STALL_SECONDS
        if not data or conn.dropped_bytes > LINGER_BYTES:
            self._forget_leaving(conn)

    def _forget_leaving(self, conn: Connection) -> None:
        self.poller.unregister(conn.sock)
        self.leaving.remove(conn)
        self._drop(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """A worker that stops waits for none of its connections longer than for kept ones."""
        super()._cap_keepalive(deadline)
        for conn in (*self.pending_conns, *self.leaving):
            conn.timeout = min(conn.timeout, deadline)

    def murder_pending(self) -> None:
        """Close what has been waited for long enough; called about once a second."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [conn for conn in self.leaving if min(conn.timeout, conn.gives_up_at) <= now]:
            self._forget_leaving(conn)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what never became a request."""
        try:
            util.write_nonblock(client, answer_to(exc))
        except OSError:
            logger.debug("nobody reads the answer")


def _received(conn: Connection) -> bytes | None:
    """What has arrived: nothing yet (None), or the connection's end (empty)."""
    try:
        return bytes(conn.sock.recv(READ_BYTES))
    except BlockingIOError:
        return None
    except OSError:
        return b""


def _is_ready(head: bytearray, seen_bytes: int) -> bool:
    """Whether the parser can tell without waiting what becomes of the request: it refuses a head
    with a line feed that stands alone, which would never end."""
    is_whole = head.find(END_OF_HEAD, seen_bytes) >= 0
    line_ends = head.count(b"\r\n", max(seen_bytes - 1, 0))
    return is_whole or head.count(b"\n", seen_bytes) > line_ends
