"""Deadlines: for the shutdown after a signal, and for a dialogue over a socket."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

HANG_UP_AGAIN_SECONDS = 0.2


def after_signal(seconds: float, act: Callable[[], None]) -> None:
    """Call `act` from a new thread, `seconds` after the first signal that has a handler.

    Python runs a signal handler only when the main thread reaches its next instruction. While the
    main thread looks up a host name, that can take as long as the resolver does. Python writes to
    this pipe immediately (`signal.set_wakeup_fd`). Call this function in the main thread.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer, warn_on_full_buffer=False)

    def wait() -> None:
        os.read(reader, 1)
        time.sleep(seconds)
        act()

    threading.Thread(target=wait, name="deadline", daemon=True).start()


@contextmanager
def hung_up_after(
    seconds: float, socket_of: Callable[[], socket.socket | None]
) -> Iterator[threading.Event]:
    """Shut the socket down if the block takes longer than `seconds`.

    A socket's own timeout starts again with each byte, so a slow peer can extend it. The block then
    fails with the error of its library for a broken connection, and the yielded event is set.
    """
    is_over, is_done = threading.Event(), threading.Event()

    def hang_up() -> None:
        if is_done.wait(seconds):
            return
        is_over.set()
        # Repeated, because TLS replaces the first socket with another one.
        while not is_done.is_set():
            open_socket = socket_of()
            if open_socket is not None:
                with suppress(OSError):
                    socket.socket.shutdown(open_socket, socket.SHUT_RDWR)
            is_done.wait(HANG_UP_AGAIN_SECONDS)

    threading.Thread(target=hang_up, name="hang up", daemon=True).start()
    try:
        yield is_over
    finally:
        is_done.set()
