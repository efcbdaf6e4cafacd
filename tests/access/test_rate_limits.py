"""The counts of rate limits, which all processes share, on both databases."""

from concurrent.futures import ThreadPoolExecutor

from peewee import Database

from shared.access import rate_limits
from shared.access.rate_limits import Limit, RateCount
from shared.database.connection import database
from shared.database.sql import clock

LIMIT = Limit("tests", 3, 60.0)


def test_events_are_counted_for_each_subject_and_kind(any_database: Database) -> None:
    rate_limits.add(LIMIT, {"a": 2, "b": 1})
    assert rate_limits.add_one(LIMIT, "a").count == 3
    assert rate_limits.count_of(LIMIT, "b").count == 1
    assert rate_limits.count_of(Limit("other", 3, 60.0), "a").count == 0


def test_a_window_lasts_from_its_first_event_and_starts_again(any_database: Database) -> None:
    assert 59 < rate_limits.add_one(LIMIT, "a").seconds_left <= 60.01
    RateCount.update(ends_at=clock(20)).execute()
    assert 19 < rate_limits.add_one(LIMIT, "a").seconds_left <= 20.01
    RateCount.update(ends_at=clock(-0.1)).execute()
    assert rate_limits.count_of(LIMIT, "a").count == 0
    again = rate_limits.add_one(LIMIT, "a")
    assert again.count == 1
    assert again.seconds_left > 59


def test_a_forgotten_count_starts_again(any_database: Database) -> None:
    rate_limits.add(LIMIT, {"a": 3, "b": 3})
    rate_limits.forget(LIMIT, "a")
    assert [rate_limits.count_of(LIMIT, subject).count for subject in "ab"] == [0, 3]


def test_only_what_has_ended_is_purged(any_database: Database) -> None:
    rate_limits.add(LIMIT, {"a": 1})
    RateCount.update(ends_at=clock(-1)).execute()
    rate_limits.add(LIMIT, {"b": 1})
    assert rate_limits.purge_ended() == 1
    assert rate_limits.purge_ended() == 0
    assert rate_limits.count_of(LIMIT, "b").count == 1


def test_no_subject_is_kept_as_it_is(any_database: Database) -> None:
    rate_limits.add(LIMIT, {"198.51.100.7": 1, "x" * 100_000: 1, "a\0\udcff": 1})
    assert {len(row.subject) for row in RateCount.select()} == {64}


def test_counts_of_many_threads_add_up(any_database: Database) -> None:
    def count(number: int) -> None:
        try:
            rate_limits.add(LIMIT, {"a": 1, "b": 1} if number % 2 else {"b": 1, "a": 1})
        finally:
            database.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(40)))
    assert [rate_limits.count_of(LIMIT, subject).count for subject in "ab"] == [40, 40]
