"""Count rejected credentials per client address, so guessing costs the guesser most.

A process counts in memory. It adds its counts to the database at most once a second, and also when
an address reaches the limit. Each write returns the counts of all processes.

A flood of bad tokens therefore costs one small write a second, and one more for each address that
reaches the limit. An address over the limit costs no query at all. Another process learns of it
with the next bad token there.
"""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from shared.access import rate_limits
from shared.access.addresses import network_of
from shared.access.rate_limits import Limit
from shared.database.connection import unless_unwritable

WRITE_SECONDS = 1.0
MAX_ADDRESSES = 10_000
MAX_GOOD_TOKENS = 1_000


@dataclass(slots=True)
class _Tally:
    """One address in its window: the count in the database, and the count not yet written."""

    ends: float
    stored_count: int = 0
    new_count: int = 0


class Failures:
    """The rejected credentials of one kind in one process. Every thread may call.

    `now` is a monotonic clock.
    """

    def __init__(self, limit: Limit, *, now: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._now = now
        self._lock = threading.Lock()
        self._tallies: OrderedDict[str, _Tally] = OrderedDict()
        self._good: OrderedDict[bytes, None] = OrderedDict()
        self._write_at = now()

    def seconds_to_wait(self, address: str | None, token: str) -> float:
        """Return how many seconds the address must wait, or 0 if it may show this token.

        A token that was good in this process before is always allowed. The clients of a university
        may share an address with an attacker there.
        """
        with self._lock:
            tally = self._tallies.get(network_of(address))
            if tally is None or tally.stored_count + tally.new_count < self._limit.most:
                return 0.0
            if _digest(token) in self._good:
                return 0.0
            return max(tally.ends - self._now(), 0.0)

    def note_good(self, token: str) -> None:
        """Record that the token is valid."""
        with self._lock:
            self._good[_digest(token)] = None
            self._good.move_to_end(_digest(token))
            if len(self._good) > MAX_GOOD_TOKENS:
                self._good.popitem(last=False)

    def note(self, address: str | None) -> None:
        """Count a rejected token. Sometimes writes to the database.

        If the database is locked (SQLite), read-only or full, the counts are written later.
        """
        with self._lock:
            tally = self._tally(network_of(address))
            tally.new_count += 1
            is_at_limit = tally.stored_count + tally.new_count == self._limit.most
            if self._now() < self._write_at and not is_at_limit:
                return
            self._write_at = self._now() + WRITE_SECONDS
            new_counts = self._new_counts()
        with unless_unwritable():
            uses = rate_limits.add(self._limit, new_counts)
            with self._lock:
                for network, of_all in uses.items():
                    tally = self._tally(network)
                    tally.new_count = max(tally.new_count - new_counts[network], 0)
                    tally.stored_count = of_all.count
                    tally.ends = self._now() + of_all.seconds_left

    def _tally(self, network: str) -> _Tally:
        tally = self._tallies.get(network)
        if tally is None or tally.ends <= self._now():
            tally = self._tallies[network] = _Tally(self._now() + self._limit.window_seconds)
        self._tallies.move_to_end(network)
        if len(self._tallies) > MAX_ADDRESSES:
            self._tallies.popitem(last=False)
        return tally

    def _new_counts(self) -> dict[str, int]:
        """Return the latest counts first, as many as one statement takes."""
        counts: dict[str, int] = {}
        for network, tally in reversed(self._tallies.items()):
            if tally.new_count and tally.ends > self._now():
                counts[network] = tally.new_count
            if len(counts) == rate_limits.BATCH:
                break
        return counts


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
