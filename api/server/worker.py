"""Gunicorn's threaded worker, in which no client holds a thread without being outcome.

Gunicorn gives a thread to each new connection. The thread waits there for the first byte, for the
rest of a request's head and for its body. It also waits for a client that does not read. So a dozen
idle connections keep all threads busy.

Here the main loop waits for all of this, for any number of connections at the same time. A thread
gets a request when its head and a small body are complete. It gives the connection back with the
part of the response that the client has not yet taken. A thread waits only for a client that has
shown a credential, see `api.middleware.paced_socket`.
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
from api.server.small_bodies import HEAD_BYTES, shows_credential, whole_bytes
from api.server.threads import Threads, is_liveness_check

logger = logging.getLogger(__name__)

# A new connection must send a whole head within this time. So must a kept connection, from the
# first byte of its next request.
HEAD_SECONDS = 10.0
# A small body must follow its head within this time, because a client may be on a mobile
# connection.
BODY_SECONDS = 60.0
# A client that takes nothing of its response for this time gets no more of it.
UNREAD_SECONDS = 20.0
# A client may send a body that is not wanted. It reads our response only after that, and loses it
# if the connection is reset (RFC 9112, section 9.6). So the main loop reads and drops the body for
# a while.
LINGER_SECONDS = 20.0
LINGER_STALL_SECONDS = 2.0
LINGER_BYTES = 1024 * 1024 * 1024
KEPT_BODY_BYTES = 64 * 1024


class WebWorker(ThreadWorker):  # type: ignore[misc]
    """The worker of one web process. Gunicorn calls the methods that have its own names."""

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        super().__init__(*arguments, **keywords)
        self.sending: deque[Connection] = deque()
        self.leaving: deque[Connection] = deque()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Reject TLS, which ends at a proxy: a handshake would be one more thing to wait for."""
        if cfg.is_ssl:
            raise RuntimeError("This worker does not support TLS. Put a proxy in front of it.")

    def get_thread_pool(self) -> Threads:
        """Return the threads that serve requests."""
        return Threads(self.cfg.threads)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and wait for its first head."""
        try:
            accepted, address = listener.accept()
        except OSError:
            # The client is gone, or no descriptor is free. The next turn of the loop tries again.
            return
        self.nr_conns += 1
        self._make_room()
        client = PacedSocket(accepted)
        self._await_request(Connection(self.cfg, client, address, listener.getsockname()))

    def _make_room(self) -> None:
        """Close one waiting connection before the last place is taken.

        It is the one that has waited longest in the fullest queue. So the worker serves a client
        that sends and reads immediately, however many others do not.
        """
        if self.nr_conns < self.worker_connections:
            return
        queues = (self.leaving, self.sending, self.pending_conns, self.keepalived_conns)
        if fullest := max(queues, key=len):
            self._forget(fullest[0], fullest)

    def on_client_socket_readable(self, conn: Connection, client: object) -> None:
        """Begin to receive the next request of a kept connection."""
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
        """Run `act`, unless another event of the same turn has closed the connection."""
        if not conn.is_closed:
            act(conn)

    def on_pending_socket_readable(self, conn: Connection) -> None:
        """Receive a part of a request."""
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
        """Hand the request to a thread when everything that the main loop waits for has arrived."""
        is_head_new = conn.whole_bytes is None
        if is_head_new:
            conn.whole_bytes = whole_bytes(conn.received, seen_bytes)
        if conn.whole_bytes is None:
            if len(conn.received) > HEAD_BYTES:
                self._refuse(conn, errors.LimitRequestHeaders("the whole head"))
        elif len(conn.received) >= conn.whole_bytes:
            self._stop_waiting(conn, self.pending_conns)
            self._serve(conn)
        elif is_head_new:
            conn.timeout = self._until_body(conn)

    def _until(self, seconds: float) -> float:
        """Return the time after which to stop waiting.

        A worker that stops waits for no connection longer than for a kept one.
        """
        patience = seconds if self.alive else min(seconds, STOP_KEEPALIVE_LINGER)
        return time.monotonic() + patience

    def _until_body(self, conn: Connection) -> float:
        """Return the time after which to stop waiting for a body.

        A worker that stops still waits for the body of a client that shows a credential. It ends
        the wait with its graceful timeout.
        """
        if shows_credential(conn.received):
            return time.monotonic() + BODY_SECONDS
        return self._until(BODY_SECONDS)

    def _refuse(self, conn: Connection, error: Exception) -> None:
        """Answer a client that has not sent its whole request, and close the connection."""
        self._stop_waiting(conn, self.pending_conns)
        self.handle_error(None, conn.sock, conn.client, error)
        self.finish_request(conn, _unkept())

    def _serve(self, conn: Connection) -> None:
        conn.sock.begin()
        conn.is_liveness_check = is_liveness_check(conn.received)
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
        """Return whether to keep the connection: all of the body was read or has arrived."""
        if not keepalive:
            return False
        conn.sock.setblocking(False)
        try:
            return bool(conn.parser.finish_body(max_bytes=KEPT_BODY_BYTES))
        except (OSError, errors.ParseException):
            return False

    def finish_request(self, conn: Connection, outcome: Future[Any]) -> None:
        """Continue after a thread has answered.

        The main loop sends the rest of the response, then keeps or closes the connection.
        """
        if conn.sock.has_backlog:
            self._send_rest(conn, outcome)
        elif outcome.cancelled() or outcome.exception() or not outcome.result():
            self._leave(conn)
        else:
            conn.received += conn.parser.unreader.take_buffered()
            if conn.received:
                self._await_request(conn)
            else:
                super().finish_request(conn, outcome)

    def _send_rest(self, conn: Connection, outcome: Future[Any]) -> None:
        try:
            conn.sock.setblocking(False)
        except OSError:
            self._drop(conn)
            return
        conn.timeout = self._until(UNREAD_SECONDS)
        self.sending.append(conn)
        act = partial(self.on_sending_socket_writable, outcome=outcome)
        self._listen(conn, act, selectors.EVENT_WRITE)

    def on_sending_socket_writable(self, conn: Connection, outcome: Future[Any]) -> None:
        """Send more of a response to a client that has taken some of it."""
        try:
            conn.sock.send_backlog()
        except OSError:
            self._forget(conn, self.sending)
            return
        conn.timeout = self._until(UNREAD_SECONDS)
        if not conn.sock.has_backlog:
            self._stop_waiting(conn, self.sending)
            self.finish_request(conn, outcome)

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
        """Drop bytes that are not wanted, and close the connection at the client's end."""
        data = conn.receive()
        if data is None:
            return
        conn.dropped_bytes += len(data)
        conn.timeout = time.monotonic() + LINGER_STALL_SECONDS
        if not data or conn.dropped_bytes > LINGER_BYTES:
            self._forget(conn, self.leaving)

    def _cap_keepalive(self, deadline: float) -> None:
        """Shorten the waits to that for a kept connection, because the worker stops.

        A body that a client with a credential has begun to send keeps its time.
        """
        super()._cap_keepalive(deadline)
        pending = [conn for conn in self.pending_conns if not _sends_known_body(conn)]
        for conn in (*pending, *self.sending, *self.leaving):
            conn.timeout = min(conn.timeout, deadline)

    def murder_pending(self) -> None:
        """Close connections whose time has passed. Gunicorn calls this about once a second."""
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
            logger.debug("no one reads the answer")


def _unkept() -> Future[Any]:
    """Return the result of a thread that does not keep its connection."""
    no_answer: Future[Any] = Future()
    no_answer.set_result(False)
    return no_answer


def _sends_known_body(conn: Connection) -> bool:
    """Return whether the head has arrived and shows a credential."""
    return conn.whole_bytes is not None and shows_credential(conn.received)
