"""The limit on how many password hashes a process computes at the same time."""

import re
import time
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from config.gunicorn import threads
from shared.access.errors import PasswordsBusy
from shared.access.passwords import MAX_CALLERS, hash_of, is_password, turn

PASSWORD = "tidal lamp orbit"


def test_a_hash_is_of_one_password_alone() -> None:
    kept = hash_of(PASSWORD)
    assert [is_password(kept, PASSWORD), is_password(kept, PASSWORD + "s")] == [True, False]


def test_a_hash_costs_a_guesser_32_mib() -> None:
    assert re.match(r"scrypt:32768:8:1\$\w{16}\$[0-9a-f]{128}$", hash_of(PASSWORD))


def test_a_few_callers_wait_and_the_others_are_refused_at_once() -> None:
    refused = MAX_CALLERS + 1
    with ThreadPoolExecutor(2 * MAX_CALLERS) as pool:
        with turn():
            asked = [pool.submit(hash_of, PASSWORD) for _ in range(2 * MAX_CALLERS)]
            until = time.monotonic() + 30
            while count_answers(asked) < refused and time.monotonic() < until:
                time.sleep(0.01)
            assert count_answers(asked) == refused
        faults = [hashed.exception() for hashed in asked]
    assert [type(fault) for fault in faults if fault] == [PasswordsBusy] * refused


def count_answers(asked: "list[Future[str]]") -> int:
    """How many callers have got their answer."""
    return sum(hashed.done() for hashed in asked)


def test_a_fault_gives_the_turn_back() -> None:
    for _ in range(MAX_CALLERS + 1):
        with pytest.raises(KeyError), turn():
            raise KeyError
    assert hash_of(PASSWORD)


def test_at_most_half_the_threads_wait_for_passwords() -> None:
    assert threads // 2 == MAX_CALLERS
