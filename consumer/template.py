"""The worker's end of a template process, and the job processes that it has forked."""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from typing import Protocol

from config.settings import PROJECT_ROOT, Settings
from consumer.template_messages import (
    FORK,
    MAX_BYTES,
    NOT_FORKED,
    READY,
    job_line,
    read_event,
)
from shared.importing.job_process import job_environment
from shared.jobs.claims import Claim

logger = logging.getLogger(__name__)

# A template that does not answer for so long is killed, and the next one starts.
ANSWER_SECONDS = 2.0
STEP_SECONDS = 0.05


class Process(Protocol):
    """What the worker needs of a job process: a part of `subprocess.Popen`."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...
    def close(self) -> None: ...


class ForkedProcess:
    """A process that the template has forked. It waits for a job until `assign` is called."""

    def __init__(self, template: "Template", standard_input: int) -> None:
        self.pid = 0
        self.pidfd = -1
        self.returncode: int | None = None
        self._template = template
        self._standard_input = standard_input
        self._has_ended_since: float | None = None

    @property
    def has_started(self) -> bool:
        """Whether the template has reported its process id."""
        return self.pidfd >= 0

    def note_start(self, pid: int, pidfd: int) -> None:
        """Note the process id and the pidfd. A process that is closed already needs no pidfd."""
        self.pid = pid
        if self._standard_input >= 0:
            self.pidfd = pidfd
        else:
            os.close(pidfd)

    def assign(self, claim: Claim) -> None:
        """Give the process its job. Raises OSError."""
        os.write(self._standard_input, job_line(claim))

    def poll(self) -> int | None:
        """Return the exit status as `subprocess.Popen.poll` does."""
        self._template.receive()
        if self.returncode is None and _is_readable(self.pidfd):
            self._has_ended_since = self._has_ended_since or time.monotonic()
            if time.monotonic() - self._has_ended_since > ANSWER_SECONDS:
                self._template.kill()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end. Raises subprocess.TimeoutExpired."""
        until = time.monotonic() + (float("inf") if timeout is None else timeout)
        while (status := self.poll()) is None:
            seconds = until - time.monotonic()
            if seconds <= 0:
                raise subprocess.TimeoutExpired("job process", timeout or 0.0)
            self._template.wait(min(seconds, STEP_SECONDS))
        return status

    def terminate(self) -> None:
        """Send SIGTERM, unless the process has ended."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """Send SIGKILL, unless the process has ended."""
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        if self.returncode is None and self.has_started:
            try:
                signal.pidfd_send_signal(self.pidfd, number)
            except ProcessLookupError:
                logger.debug("the process has ended already")

    def close(self) -> None:
        """Close its standard input, which ends a process that still waits for a job."""
        for descriptor in (self._standard_input, self.pidfd):
            if descriptor >= 0:
                os.close(descriptor)
        self._standard_input = self.pidfd = -1


class Template:
    """A running template process. Raises OSError if it cannot start."""

    def __init__(self, settings: Settings) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setblocking(False)
        with theirs:
            # The worker's own sockets have a default timeout.
            theirs.setblocking(True)
            try:
                self._process = subprocess.Popen(  # noqa: S603 # nosec B603 # our own module
                    [sys.executable, "-m", "consumer.template_process", str(theirs.fileno())],
                    cwd=PROJECT_ROOT,
                    env=job_environment(settings, max_attempts=settings.max_attempts),
                    stdin=subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
            except BaseException:
                self._socket.close()
                raise
        self.is_ready = False
        self.is_lost = False
        self.forks = 0
        self._requested: deque[ForkedProcess] = deque()
        self._processes: dict[int, ForkedProcess] = {}

    def fileno(self) -> int:
        """The socket, which is readable when a process has started or ended."""
        return self._socket.fileno()

    @property
    def pid(self) -> int:
        """The process id of the template."""
        return self._process.pid

    @property
    def is_idle(self) -> bool:
        """Whether none of its processes runs."""
        return not self._processes and not self._requested

    def request(self) -> ForkedProcess:
        """Ask for a process, and do not wait for it. Raises OSError."""
        reader, writer = os.pipe()
        try:
            socket.send_fds(self._socket, [FORK], [reader])
        except OSError:
            os.close(writer)
            raise
        finally:
            os.close(reader)
        self.forks += 1
        process = ForkedProcess(self, writer)
        self._requested.append(process)
        return process

    def wait_started(self, process: ForkedProcess) -> None:
        """Wait until a process has started. Raises OSError."""
        until = time.monotonic() + ANSWER_SECONDS
        while not process.has_started:
            self.wait(STEP_SECONDS)
            self.receive()
            if process.returncode is not None:
                raise ChildProcessError("the template process could not fork")
            if time.monotonic() > until:
                self.kill()

    def wait(self, seconds: float) -> None:
        """Wait for news, but not longer than this."""
        if self.is_lost:
            time.sleep(seconds)
        else:
            select.select([self], [], [], seconds)

    def receive(self) -> None:
        """Take the news that are there: which processes have started, and which have ended."""
        while not self.is_lost:
            try:
                message, descriptors, _, _ = socket.recv_fds(
                    self._socket, MAX_BYTES, 1, socket.MSG_CMSG_CLOEXEC
                )
            except BlockingIOError:
                return
            except OSError:
                message = b""
            if not message:
                self._lose()
            elif message == READY:
                self.is_ready = True
            else:
                self._note(*read_event(message), descriptors)

    def _note(self, pid: int, status: int | None, descriptors: list[int]) -> None:
        if descriptors:
            process = self._requested.popleft()
            process.note_start(pid, *descriptors)
            self._processes[pid] = process
        elif pid == NOT_FORKED:
            self._requested.popleft().returncode = status
        else:
            self._processes.pop(pid).returncode = status

    def _lose(self) -> None:
        """The template has ended, and the kernel kills its processes."""
        self.is_lost = True
        self._socket.close()
        self._process.kill()
        self._process.wait()
        for process in (*self._processes.values(), *self._requested):
            process.kill()
            process.returncode = -signal.SIGKILL
        self._processes.clear()
        self._requested.clear()

    def kill(self) -> None:
        """End the template and all its processes at once."""
        if not self.is_lost:
            self._lose()


def _is_readable(descriptor: int) -> bool:
    return descriptor >= 0 and bool(select.select([descriptor], [], [], 0)[0])
