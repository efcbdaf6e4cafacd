"""The worker's parent process: receive, claim, start a work horse, and watch over it.

One loop does it all, a quarter of a second at a time. The doorbell only shortens the wait: every
poll interval the loop looks into the jobs table itself, so a broker that is away, or has lost its
messages, delays a job and nothing more. A broker fault ends the connection and with it the
consumer; a second later both are made anew, while running jobs and leases are tended as ever.
"""

import logging
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from kombu.connection import Connection
from kombu.messaging import Consumer

from config.log_context import REQUEST_ID, logged_with
from config.settings import Settings
from config.version import version
from consumer.broker_connection import Connecting, Refused, refusals_told
from consumer.job_processes import Stable
from consumer.lasting_thread import LastingThread, in_trouble
from consumer.shutdown_deadline import after_signal
from shared import workers
from shared.broker.connection import consumer_connection
from shared.broker.message import correlation_of, decode
from shared.broker.queues import QUEUE, declare_dead_queue
from shared.database.connection import be_impatient, database, unless_locked
from shared.database.outages import OUTAGES, OutageLog
from shared.jobs import jobs, transitions

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 0.25
RECONNECT_SECONDS = 1.0
# What the broker refuses it refuses until somebody has mended it.
REFUSED_SECONDS = 10.0
HEARTBEAT_CHECK_SECONDS = 2.0
# Another worker's long apply must keep neither signals nor heartbeats waiting.
LOCK_SECONDS = 0.5
# Some platforms kill three seconds after SIGTERM.
STOP_SECONDS = 2.5


class Shutdown(BaseException):
    """A signal asked the worker to stop while it was waiting."""


class Worker:
    """Consumes until SIGTERM or SIGINT, then puts its jobs back within three seconds."""

    def __init__(self, settings: Settings, threads: Sequence[LastingThread] = ()) -> None:
        """`threads` are those beside the loop, of whose troubles the heartbeat tells."""
        self._settings = settings
        self._threads = threads
        self._row = workers.this_worker(version())
        self._name = self._row.name
        self._stable = Stable(settings, self._name)
        self._outages = OutageLog(logger, "database out of reach")
        self._is_stopping = False
        self._is_waiting = False
        self._polled_at = 0.0
        self._beaten_at = -workers.BEAT_SECONDS

    def run(self) -> None:
        """Work until a signal comes. No fault of broker or database ends it."""
        after_signal(STOP_SECONDS, self._give_up)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        logger.info("worker started", extra={"worker": self._name})
        try:
            while not self._is_stopping:
                self._consume_until_broken()
        except Shutdown:
            pass
        finally:
            with self._fault_logged():
                be_impatient(LOCK_SECONDS)
            self._stable.put_back()
            with self._fault_logged():
                workers.leave(self._row)
            database.close()
        logger.info("worker stopped", extra={"worker": self._name})

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True
        if self._is_waiting:
            raise Shutdown

    def _give_up(self) -> None:
        """End at once: a database or resolver that hangs does not let this worker put its jobs
        back."""
        self._stable.kill()
        logger.warning("worker stopped; the leases of its jobs will run out")
        os._exit(0)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """A signal may interrupt this block: nothing in it is left half-done."""
        self._is_waiting = True
        try:
            if self._is_stopping:
                raise Shutdown
            yield
        finally:
            self._is_waiting = False

    def _consume_until_broken(self) -> None:
        connection = consumer_connection(self._settings.broker_url)
        try:
            with refusals_told():
                self._connect(connection)
                consumer = self._declared_consumer(connection)
            self._consume(connection, consumer)
        except Refused as refusal:
            logger.warning(
                "broker refuses this worker, which goes on polling",
                extra={"reason": str(refusal)},
            )
            self._tend_for(REFUSED_SECONDS)
        except Exception as error:
            is_expected = isinstance(error, (*connection.recoverable_connection_errors, OSError))
            logger.warning(
                "broker out of reach",
                extra={"reason": type(error).__name__},
                exc_info=None if is_expected else error,
            )
            self._tend_for(RECONNECT_SECONDS)
        finally:
            # Without a good-bye: a hung broker would not answer one.
            connection.collect()

    def _connect(self, connection: Connection) -> None:
        connecting = Connecting(connection)
        connecting.start()
        while connecting.is_alive():
            self._tend()
            with self._waiting():
                connecting.join(DRAIN_SECONDS)
        connecting.raise_error()

    def _tend_for(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self._is_stopping:
            self._tend()
            with self._waiting():
                time.sleep(DRAIN_SECONDS)

    def _declared_consumer(self, connection: Connection) -> Consumer:
        declare_dead_queue(connection)
        return Consumer(
            connection.channel(),
            [QUEUE],
            prefetch_count=1,
            accept=["json"],
            on_message=self._on_message,
        )

    def _consume(self, connection: Connection, consumer: Consumer) -> None:
        logger.info("consuming", extra={"worker": self._name})
        is_consuming = False
        checked_at = time.monotonic()
        while not self._is_stopping:
            self._tend()
            if is_consuming != self._stable.has_room:
                is_consuming = self._stable.has_room
                consumer.consume() if is_consuming else consumer.cancel()
            self._drain(connection)
            if time.monotonic() - checked_at >= HEARTBEAT_CHECK_SECONDS:
                connection.heartbeat_check()
                checked_at = time.monotonic()

    def _drain(self, connection: Connection) -> None:
        try:
            connection.drain_events(timeout=DRAIN_SECONDS)
        except TimeoutError:
            pass
        except ValueError as error:
            # The filesystem transport may read a message that is being written (kombu #1551).
            logger.warning("unreadable message dropped", extra={"reason": type(error).__name__})

    def _on_message(self, message: Any) -> None:
        """Claim the job, then settle the message: the job row is committed by then."""
        with logged_with(**{REQUEST_ID: correlation_of(message)}):
            self._settle(message)

    def _settle(self, message: Any) -> None:
        try:
            job_id = decode(message.decode())
        except Exception as error:  # noqa: BLE001 - a foreign content type brings its own errors
            self._bury(message, type(error).__name__)
            return
        is_known = True
        with self._fault_logged():
            is_known = jobs.find(job_id) is not None
            if is_known:
                self._stable.start(job_id)
        # A broker fault here ends the connection; the message comes again on the next.
        if is_known:
            message.ack()
        else:
            self._bury(message, "unknown job")

    def _bury(self, message: Any, reason: str) -> None:
        """To the dead-letter queue; the embedded broker has none and drops it."""
        logger.warning("message rejected", extra={"reason": reason})
        message.reject(requeue=False)

    def _tend(self) -> None:
        self._beat()
        with self._fault_logged():
            be_impatient(LOCK_SECONDS)
            self._stable.tend()
            if self._stable.has_room and (
                time.monotonic() - self._polled_at >= self._settings.poll_seconds
            ):
                self._polled_at = time.monotonic()
                room = self._stable.room
                due = transitions.due_jobs(room)
                for job_id in due:
                    self._stable.start(job_id)
                if len(due) == room:
                    # More may be waiting without a doorbell: look again as soon as there is room.
                    self._polled_at = 0.0

    def _beat(self) -> None:
        """Before anything that sets a patience of its own: this leaves the usual one behind."""
        if time.monotonic() - self._beaten_at < workers.BEAT_SECONDS:
            return
        self._beaten_at = time.monotonic()
        with self._fault_logged(), unless_locked():
            workers.beat(self._row, troubles=in_trouble(self._threads))

    @contextmanager
    def _fault_logged(self) -> Iterator[None]:
        """A database out of reach, or a defect of ours, delays jobs and never ends the worker."""
        try:
            yield
        except OUTAGES as error:
            self._outages.note(error)
            database.close()
        except Exception:
            logger.exception("worker met a defect")
            database.close()
