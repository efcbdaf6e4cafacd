"""An end in time: after a signal, and for a dialogue over a socket."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

HANG_UP_AGAIN_SECONDS = 0.2


def after_signal(seconds: float, act: Callable[[], None]) -> None:
    """Call `act` from a thread of its own so long after the first signal that has a handler.

    Python runs a handler when the main thread comes to its next instruction, which takes as long
    as the resolver does when a name is being looked up. The byte that comes through this pipe is
    written at once (`signal.set_wakeup_fd`). To be called in the main thread.
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
    """Shut a socket down when the block takes longer, however slowly the other side goes on.

    A socket's own timeout starts anew with each byte. The block fails then with what its library
    makes of a broken connection; the event that it gets is set.
    """
    is_over, is_done = threading.Event(), threading.Event()

    def hang_up() -> None:
        if is_done.wait(seconds):
            return
        is_over.set()
        # More than once: TLS puts another socket in the place of the first.
        while not is_done.is_set():
            opened = socket_of()
            if opened is not None:
                with suppress(OSError):
                    socket.socket.shutdown(opened, socket.SHUT_RDWR)
            is_done.wait(HANG_UP_AGAIN_SECONDS)

    threading.Thread(target=hang_up, name="hang up", daemon=True).start()
    try:
        yield is_over
    finally:
        is_done.set()
