"""Refused credentials, counted for each client address, so that guessing costs the guesser most.

A process counts in memory and adds its counts to the database's at most once a second, and when an
address comes to the limit; what all processes have counted comes back with it. So a flood of bad
tokens is one small write a second, and one more for each address that is used up; an address over
the limit costs no query at all. Another process learns of it with its next failure.
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
    """One address in its window: what the database has, and what it does not have yet."""

    ends: float
    written: int = 0
    unwritten: int = 0


class Failures:
    """The refused credentials of one kind in one process; every thread may call.

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
        """How long the address must wait; 0 when it may show this token.

        A token that was good in this process before may always be shown: the clients of a
        university share an address with whoever floods from there.
        """
        with self._lock:
            tally = self._tallies.get(network_of(address))
            if tally is None or tally.written + tally.unwritten < self._limit.most:
                return 0.0
            if _digest(token) in self._good:
                return 0.0
            return max(tally.ends - self._now(), 0.0)

    def note_good(self, token: str) -> None:
        """The token opens something."""
        with self._lock:
            self._good[_digest(token)] = None
            self._good.move_to_end(_digest(token))
            if len(self._good) > MAX_GOOD_TOKENS:
                self._good.popitem(last=False)

    def note(self, address: str | None) -> None:
        """Count a refused token; sometimes writes to the database. What SQLite's lock keeps from
        being written is written later."""
        with self._lock:
            tally = self._tally(network_of(address))
            tally.unwritten += 1
            is_at_limit = tally.written + tally.unwritten == self._limit.most
            if self._now() < self._write_at and not is_at_limit:
                return
            self._write_at = self._now() + WRITE_SECONDS
            unwritten = self._unwritten()
        with unless_unwritable():
            spent = rate_limits.add(self._limit, unwritten)
            with self._lock:
                for network, of_all in spent.items():
                    tally = self._tally(network)
                    tally.unwritten = max(tally.unwritten - unwritten[network], 0)
                    tally.written = of_all.count
                    tally.ends = self._now() + of_all.seconds_left

    def _tally(self, network: str) -> _Tally:
        tally = self._tallies.get(network)
        if tally is None or tally.ends <= self._now():
            tally = self._tallies[network] = _Tally(self._now() + self._limit.window_seconds)
        self._tallies.move_to_end(network)
        if len(self._tallies) > MAX_ADDRESSES:
            self._tallies.popitem(last=False)
        return tally

    def _unwritten(self) -> dict[str, int]:
        """The latest ones first, as many as one statement takes."""
        found: dict[str, int] = {}
        for network, tally in reversed(self._tallies.items()):
            if tally.unwritten and tally.ends > self._now():
                found[network] = tally.unwritten
            if len(found) == rate_limits.BATCH:
                break
        return found


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
