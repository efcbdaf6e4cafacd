"""The worker: receives a message, claims the job, starts a job process and supervises it.

One loop does everything in steps of a quarter of a second. A message only shortens the wait. In
every poll interval the loop also queries the jobs table. If the broker is unavailable or has lost
its messages, a job is only delayed.

A broker fault ends the connection and its consumer. A second later the loop makes both again.
Meanwhile it goes on to renew leases and to supervise job processes.
"""

import logging
import os
import select
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
from consumer.broker_connection import ConnectionAttempt, explain_refusals
from consumer.errors import BrokerRefusal
from consumer.job_processes import JobProcesses
from consumer.lasting_thread import LastingThread, names_in_trouble
from consumer.shutdown_deadline import after_signal
from shared import workers
from shared.broker.connection import FILESYSTEM_POLL_SECONDS, consumer_connection
from shared.broker.message import correlation_of, decode
from shared.broker.queues import QUEUE, declare_dead_queue
from shared.database.connection import database, limit_lock_wait, unless_locked
from shared.database.outages import OUTAGES, OutageLog
from shared.jobs import jobs, transitions

logger = logging.getLogger(__name__)

DRAIN_SECONDS = 0.25
LOOK_SECONDS = 0.001
RECONNECT_SECONDS = 1.0
# If the broker refuses this worker, an operator must fix the cause. A quick retry does not help.
REFUSED_SECONDS = 10.0
HEARTBEAT_CHECK_SECONDS = 2.0
# Another worker's long apply may hold SQLite's write lock. Signals and heartbeats must not wait.
LOCK_SECONDS = 0.5
# Some platforms kill three seconds after SIGTERM.
STOP_SECONDS = 2.5


class Shutdown(BaseException):
    """The worker received a stop signal while it was waiting."""


class Worker:
    """Consumes until SIGTERM or SIGINT, then releases its jobs within three seconds."""

    def __init__(self, settings: Settings, threads: Sequence[LastingThread] = ()) -> None:
        """`threads` are the background threads whose troubles the heartbeat reports."""
        self._settings = settings
        self._threads = threads
        self._row = workers.this_worker(version())
        self._name = self._row.name
        self._job_processes = JobProcesses(settings, self._name)
        self._outages = OutageLog(logger, "database unavailable")
        self._is_stopping = False
        self._is_waiting = False
        self._polled_at = 0.0
        self._beaten_at = -workers.BEAT_SECONDS

    def run(self) -> None:
        """Work until a signal arrives. A fault of the broker or the database does not end it."""
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
                limit_lock_wait(LOCK_SECONDS)
            self._job_processes.put_back()
            with self._fault_logged():
                workers.leave(self._row)
            database.close()
        logger.info("worker stopped", extra={"worker": self._name})

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._is_stopping = True
        if self._is_waiting:
            raise Shutdown

    def _give_up(self) -> None:
        """Kill the job processes and exit, because the database or the resolver hangs.

        The leases of the jobs run out.
        """
        self._job_processes.kill()
        logger.warning("worker stopped, the leases of its jobs will run out")
        os._exit(0)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        """Allow a signal to interrupt this block. Only put code here that can stop halfway."""
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
            with explain_refusals():
                self._connect(connection)
                message_consumer = self._declared_consumer(connection)
            self._consume(connection, message_consumer)
        except BrokerRefusal as refusal:
            logger.warning(
                "broker refuses this worker, which goes on polling",
                extra={"reason": str(refusal)},
            )
            self._tend_for(REFUSED_SECONDS)
        except Exception as error:
            is_expected = isinstance(error, (*connection.recoverable_connection_errors, OSError))
            logger.warning(
                "broker unavailable",
                extra={"reason": type(error).__name__},
                exc_info=None if is_expected else error,
            )
            self._tend_for(RECONNECT_SECONDS)
        finally:
            # Not `close`, which waits for an answer that a hung broker never sends.
            connection.collect()

    def _connect(self, connection: Connection) -> None:
        attempt = ConnectionAttempt(connection)
        attempt.start()
        while attempt.is_alive():
            self._tend()
            with self._waiting():
                attempt.join(DRAIN_SECONDS)
        attempt.raise_error()

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

    def _consume(self, connection: Connection, message_consumer: Consumer) -> None:
        logger.info("consuming", extra={"worker": self._name})
        is_consuming = False
        checked_at = time.monotonic()
        while not self._is_stopping:
            self._tend()
            if is_consuming != self._job_processes.has_room:
                is_consuming = self._job_processes.has_room
                if is_consuming:
                    message_consumer.consume()
                else:
                    message_consumer.cancel()
            self._drain(connection)
            if time.monotonic() - checked_at >= HEARTBEAT_CHECK_SECONDS:
                connection.heartbeat_check()
                checked_at = time.monotonic()

    def _drain(self, connection: Connection) -> None:
        """Take a message, or else wait a moment for one and for the end of a job process."""
        is_evented = connection.is_evented
        try:
            # First what the connection has received already, which a TLS socket may hide.
            connection.drain_events(timeout=LOOK_SECONDS if is_evented else 0)
        except TimeoutError:
            sockets = [connection.connection.sock] if is_evented else []
            seconds = DRAIN_SECONDS if is_evented else FILESYSTEM_POLL_SECONDS
            select.select([*sockets, *self._job_processes.templates], [], [], seconds)
        except ValueError as error:
            # The filesystem transport may read a message that is being written (kombu #1551).
            logger.warning("unreadable message dropped", extra={"reason": type(error).__name__})

    def _on_message(self, message: Any) -> None:
        """Claim the job, then acknowledge the message. The claim is committed before that."""
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
                self._job_processes.start(job_id)
        # A broker fault here ends the connection. The next connection gets the message again.
        if is_known:
            message.ack()
        else:
            self._bury(message, "unknown job")

    def _bury(self, message: Any, reason: str) -> None:
        """Send the message to the dead-letter queue. The embedded broker drops it instead."""
        logger.warning("message rejected", extra={"reason": reason})
        message.reject(requeue=False)

    def _tend(self) -> None:
        self._beat()
        with self._fault_logged():
            limit_lock_wait(LOCK_SECONDS)
            self._job_processes.tend()
            if self._job_processes.has_room and (
                time.monotonic() - self._polled_at >= self._settings.poll_seconds
            ):
                self._polled_at = time.monotonic()
                room = self._job_processes.room
                due = transitions.due_jobs(room)
                for job_id in due:
                    self._job_processes.start(job_id)
                if len(due) == room:
                    # More jobs may wait without a message: poll again as soon as there is room.
                    self._polled_at = 0.0

    def _beat(self) -> None:
        """Write the heartbeat, if one is due.

        Call it before code that sets its own lock timeout, because this resets it to the default.
        """
        if time.monotonic() - self._beaten_at < workers.BEAT_SECONDS:
            return
        self._beaten_at = time.monotonic()
        with self._fault_logged(), unless_locked():
            workers.beat(self._row, troubles=names_in_trouble(self._threads))

    @contextmanager
    def _fault_logged(self) -> Iterator[None]:
        """Log an unavailable database or an internal error, and go on.

        Jobs are delayed, but the worker never ends.
        """
        try:
            yield
        except OUTAGES as error:
            self._outages.note(error)
            database.close()
        except Exception:
            logger.exception("worker met an internal error")
            database.close()
