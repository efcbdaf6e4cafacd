"""The worker's background threads, which no exception may end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from peewee import OperationalError

from consumer.lasting_thread import LastingThread, names_in_trouble
from shared import workers
from shared.database.connection import database
from shared.storage.errors import StoreFull
from shared.workers import this_worker
from tests.support.api_client import ApiClient
from tests.support.running import wait_for


@contextmanager
def running(thread: LastingThread) -> Iterator[LastingThread]:
    thread.start()
    try:
        yield thread
    finally:
        thread.stop()


@pytest.mark.parametrize("error", [StoreFull("full"), OperationalError("away")])
def test_an_outage_ends_no_thread(
    any_database: object, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    turned = threading.Event()
    turns = iter([error] * 5)

    def turn() -> bool:
        if raised := next(turns, None):
            raise raised
        turned.set()
        return False

    with running(LastingThread("sweeper", turn, 0.01)) as thread:
        assert turned.wait(20)
        assert not thread.is_in_trouble
    # The log has one warning for all attempts.
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_an_internal_error_ends_no_thread_and_is_reported(
    any_database: object, caplog: pytest.LogCaptureFixture
) -> None:
    met = threading.Event()

    def turn() -> bool:
        met.set()
        raise RuntimeError("a defect")

    with running(LastingThread("mailer", turn, 0.01)) as thread:
        assert met.wait(20)
        wait_for(lambda: thread.is_in_trouble, "the defect is not told")
        assert thread.is_alive()
        assert names_in_trouble([thread]) == ["mailer"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_dead_thread_is_in_trouble(any_database: object) -> None:
    def turn() -> bool:
        raise SystemExit

    thread = LastingThread("webhook sender", turn, 0.01)
    assert names_in_trouble([thread]) == []
    thread.start()
    thread.join(20)
    assert names_in_trouble([thread]) == ["webhook sender"]


def test_readiness_reports_a_worker_in_trouble(app: Flask) -> None:
    worker = this_worker("1")
    with database.connection_context():
        workers.beat(worker, troubles=["sweeper"])
    answer = ApiClient(app, "").get("/health/ready")
    assert (answer.status_code, answer.get_json()["worker"]) == (200, "degraded")
    with database.connection_context():
        workers.beat(worker)
        assert not workers.is_any_in_trouble()
