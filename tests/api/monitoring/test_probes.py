"""Probes of servers that may never answer."""

import threading
import time

import pytest

from api.monitoring.probes import Probe


def test_an_answer_is_waited_for_and_no_longer_than_it_may_take() -> None:
    hang = threading.Event()
    asked: list[int] = []

    def ask() -> str:
        asked.append(1)
        hang.wait(20)
        return "ok"

    probe = Probe(ask, seconds=0.2, otherwise="unreachable")
    started = time.monotonic()
    for _ in range(3):
        probe.start()
        assert probe.answer() == "unreachable"
    assert time.monotonic() - started < 5
    assert asked == [1]
    hang.set()
    while probe.answer() != "ok":
        time.sleep(0.01)
    probe.start()
    assert probe.answer() == "ok"
    assert asked == [1, 1]


def test_an_internal_error_is_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    probe = Probe(lambda: 1 // 0, seconds=5, otherwise=-1)
    probe.start()
    assert probe.answer() == -1
    assert "probe met an internal error" in caplog.messages
