"""The threads of the web process, with one of their own for liveness checks.

A platform restarts a process whose `/health/live` does not answer. Without a thread of its own, a
check waits behind every request that came before it. It waits for minutes if slow uploads hold all
other threads.
"""

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from api.server.connection import Connection

# The view waits for nothing and opens no database connection, so it never holds its thread.
_LIVENESS_CHECK = re.compile(rb"(?:GET|HEAD) /health/live/?[? ]")


def is_liveness_check(received: bytearray) -> bool:
    """Return whether a request asks only whether the process is alive."""
    return _LIVENESS_CHECK.match(received) is not None


class Threads(ThreadPoolExecutor):
    """Gunicorn's pool of threads, and one more thread."""

    def __init__(self, threads_count: int) -> None:
        super().__init__(threads_count)
        self._for_checks = ThreadPoolExecutor(1)

    def submit(  # type: ignore[override]
        self, act: Callable[[Connection], Any], conn: Connection, /
    ) -> Future[Any]:
        """Run `act` for the request of a connection. Liveness checks wait only for each other."""
        if conn.is_liveness_check:
            return self._for_checks.submit(act, conn)
        return super().submit(act, conn)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End all threads when they have finished their requests."""
        self._for_checks.shutdown(wait, cancel_futures=cancel_futures)
        super().shutdown(wait, cancel_futures=cancel_futures)
