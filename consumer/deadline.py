"""An end in time after a signal, whatever the main thread is waiting for."""

import os
import signal
import threading
import time
from collections.abc import Callable


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
