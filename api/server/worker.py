"""Gunicorn's threaded worker, of which no client holds a thread without being served.

Gunicorn gives a thread to each new connection. The thread waits there for the first byte, for the
rest of a request's head, for its body, and for a client that does not read. A dozen idle
connections keep all threads busy so. Here the main loop waits for all of this, for any number of
connections at once. A thread gets a request when its head and a small body are complete, and gives
the connection back with what the client has not yet taken of the answer. Only for a client that has
shown a credential does a thread wait, see `api.middleware.paced_socket`.
"""

import logging
import selectors
import socket
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any

from gunicorn import util
from gunicorn.http import errors
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, ThreadWorker

from api.middleware.paced_socket import PacedSocket
from api.server.connection import Connection
from api.server.refused_heads import BodyTooSlow, answer_to
from api.server.small_bodies import HEAD_BYTES, whole_bytes

logger = logging.getLogger(__name__)

# A new connection, and the next request of a kept one once it has begun, must have sent a whole
# head after this long.
HEAD_SECONDS = 10.0
# A small body must have followed its head after this long: a client may be on a mobile line.
BODY_SECONDS = 60.0
# A client that takes nothing of its answer for so long gets no more of it.
UNREAD_SECONDS = 20.0
# A client that sends a body in vain reads our answer only when the body is out, and loses it when
# the connection is reset (RFC 9112, section 9.6): so what it sends is read and dropped for a while.
LINGER_SECONDS = 20.0
LINGER_STALL_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024 * 1024
KEPT_BODY_BYTES = 64 * 1024


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """One web process. The main loop's methods have Gunicorn's names and are called by it."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.sending: deque[Connection] = deque()
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
        self._await_request(Connection(self.cfg, client, address, listener.getsockname()))

    def _make_room(self) -> None:
        """Before the last place is taken, the one goes that has waited longest among the most
        that wait for the same: a client that sends and reads at once is served, however many
        others do not."""
        if self.nr_conns < self.worker_connections:
            return
        queues = (self.leaving, self.sending, self.pending_conns, self.keepalived_conns)
        if fullest := max(queues, key=len):
            self._forget(fullest[0], fullest)

    def on_client_socket_readable(self, conn: Connection, client: object) -> None:
        """The next request of a kept connection begins."""
        if conn.is_closed:
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_request(conn)

    def _await_request(self, conn: Connection) -> None:
        conn.sock.setblocking(False)
        conn.timeout = self._until(HEAD_SECONDS)
        conn.whole_bytes = None
        self.pending_conns.append(conn)
        self._listen(conn, self.on_pending_socket_readable)
        if conn.received:
            self._look(conn, seen_bytes=0)

    def _listen(self, conn: Connection, act: Any, event: int = selectors.EVENT_READ) -> None:
        self.poller.register(conn.sock, event, partial(self._act_on, conn, act))

    def _act_on(self, conn: Connection, act: Any, client: object) -> None:
        """What else happened in the same turn of the loop may have closed the connection."""
        if not conn.is_closed:
            act(conn)

    def on_pending_socket_readable(self, conn: Connection) -> None:
        """Some of a request has arrived."""
        data = conn.receive()
        if data is None:
            return
        if not data:
            self._forget(conn, self.pending_conns)
            return
        seen_bytes = len(conn.received)
        conn.received += data
        self._look(conn, seen_bytes)

    def _look(self, conn: Connection, seen_bytes: int) -> None:
        """Hand the request to a thread when all is here that the main loop waits for."""
        if conn.whole_bytes is None:
            conn.whole_bytes = whole_bytes(conn.received, seen_bytes)
            if conn.whole_bytes is not None:
                conn.timeout = self._until(BODY_SECONDS)
            elif len(conn.received) > HEAD_BYTES:
                self._refuse(conn, errors.LimitRequestHeaders("the whole head"))
                return
        if conn.whole_bytes is not None and len(conn.received) >= conn.whole_bytes:
            self._stop_waiting(conn, self.pending_conns)
            self._serve(conn)

    def _until(self, seconds: float) -> float:
        """A worker that stops waits for no connection longer than for kept ones."""
        patience = seconds if self.alive else min(seconds, STOP_KEEPALIVE_LINGER)
        return time.monotonic() + patience

    def _refuse(self, conn: Connection, error: Exception) -> None:
        """Answer what waits for the rest of its request, and close the connection."""
        self._stop_waiting(conn, self.pending_conns)
        self.handle_error(None, conn.sock, conn.client, error)
        self.finish_request(conn, _unkept())

    def _serve(self, conn: Connection) -> None:
        conn.sock.begin()
        conn.init()
        conn.parser.unreader.unread(bytes(conn.received))
        conn.received.clear()
        self.enqueue_req(conn)

    def _stop_waiting(self, conn: Connection, waiting: deque[Connection]) -> None:
        self.poller.unregister(conn.sock)
        waiting.remove(conn)

    def _forget(self, conn: Connection, waiting: deque[Connection]) -> None:
        self._stop_waiting(conn, waiting)
        self._drop(conn)

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

    def finish_request(self, conn: Connection, served: Future[Any]) -> None:
        """A thread has answered: send the rest, then keep the connection or say good-bye."""
        if conn.sock.has_backlog:
            self._send_rest(conn, served)
        elif served.cancelled() or served.exception() or not served.result():
            self._leave(conn)
        else:
            conn.received += conn.parser.unreader.take_buffered()
            if conn.received:
                self._await_request(conn)
            else:
                super().finish_request(conn, served)

    def _send_rest(self, conn: Connection, served: Future[Any]) -> None:
        try:
            conn.sock.setblocking(False)
        except OSError:
            self._drop(conn)
            return
        conn.timeout = self._until(UNREAD_SECONDS)
        self.sending.append(conn)
        act = partial(self.on_sending_socket_writable, served=served)
        self._listen(conn, act, selectors.EVENT_WRITE)

    def on_sending_socket_writable(self, conn: Connection, served: Future[Any]) -> None:
        """The client has taken some of its answer."""
        try:
            conn.sock.send_backlog()
        except OSError:
            self._forget(conn, self.sending)
            return
        conn.timeout = self._until(UNREAD_SECONDS)
        if not conn.sock.has_backlog:
            self._stop_waiting(conn, self.sending)
            self.finish_request(conn, served)

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

    def on_leaving_socket_readable(self, conn: Connection) -> None:
        """More of what nobody reads, or the client's end."""
        data = conn.receive()
        if data is None:
            return
        conn.dropped_bytes += len(data)
        conn.timeout = time.monotonic() + LINGER_STALL_SECONDS
        if not data or conn.dropped_bytes > LINGER_BYTES:
            self._forget(conn, self.leaving)

    def _cap_keepalive(self, deadline: float) -> None:
        """A worker that stops waits for none of its connections longer than for kept ones."""
        super()._cap_keepalive(deadline)
        for conn in (*self.pending_conns, *self.sending, *self.leaving):
            conn.timeout = min(conn.timeout, deadline)

    def murder_pending(self) -> None:
        """Close what has been waited for long enough; called about once a second."""
        now = time.monotonic()
        for conn in [conn for conn in self.pending_conns if conn.timeout <= now]:
            if conn.whole_bytes is None:
                self._forget(conn, self.pending_conns)
            else:
                self._refuse(conn, BodyTooSlow())
        for conn in [conn for conn in self.sending if conn.timeout <= now]:
            self._forget(conn, self.sending)
        for conn in [conn for conn in self.leaving if min(conn.timeout, conn.gives_up_at) <= now]:
            self._forget(conn, self.leaving)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer what never became a request."""
        try:
            util.write_nonblock(client, answer_to(exc))
        except OSError:
            logger.debug("nobody reads the answer")


def _unkept() -> Future[Any]:
    """What a thread would tell of a connection that ends."""
    told: Future[Any] = Future()
    told.set_result(False)
    return told
