"""The template process: `python -m consumer.template_process SOCKET` forks the job processes.

A new Python takes half a second to import what a job needs. The template imports it once, and a
fork takes milliseconds. The template has no connection and no thread, because a fork would share
the one and lose the other. It works on no file, so nothing can grow in it or damage it.

The worker holds the other end of the socket, which keeps the borders of messages (SOCK_SEQPACKET):
- The worker sends FORK with the standard input of the new process, and gets its id and pidfd.
- When a process has ended, the worker gets its id and status.

The template ends with its worker, because the socket closes. Its job processes end with it.
"""

import gc
import os
import selectors
import signal
import socket
import sys
from importlib import import_module

from config.error_reports import flush_reports, report_errors
from config.logging import configure_logging
from config.process import die_with_parent, keep_files_private, name_process
from config.settings import Settings, load_settings
from config.unhandled import log_unhandled
from consumer.job_process import ORPHANED, perform_next
from consumer.template_messages import FORK, NOT_FORKED, READY, event

# Modules that a job imports only when it needs them.
LATER_IMPORTS = ("openpyxl", "python_calamine", "shared.roll_file.workbooks.opening")


def main(descriptor: str) -> int:
    """Fork a process for each request, until the worker closes its end of the socket."""
    for number in (signal.SIGTERM, signal.SIGINT):
        # A platform may signal every process. The worker decides what becomes of the jobs.
        signal.signal(number, signal.SIG_IGN)
    settings = load_settings()
    keep_files_private()
    configure_logging(settings.log_level, readable=settings.debug)
    log_unhandled()
    for module in LATER_IMPORTS:
        import_module(module)
    # What is here now is never garbage. Not to visit it keeps its memory shared with the forks.
    gc.collect()
    gc.freeze()
    name_process("job template")
    with socket.socket(fileno=int(descriptor)) as worker:
        return _Template(worker, settings).run()


class _Template:
    def __init__(self, worker: socket.socket, settings: Settings) -> None:
        self._worker = worker
        self._settings = settings
        self._pid = os.getpid()
        self._selector = selectors.DefaultSelector()
        self._selector.register(worker, selectors.EVENT_READ)

    def run(self) -> int:
        try:
            self._worker.send(READY)
            while True:
                for key, _ in self._selector.select():
                    if key.fileobj is not self._worker:
                        self._report_end(key.data, key.fd)
                    elif not self._answer():
                        return 0
        except ConnectionError:
            return 0

    def _answer(self) -> bool:
        """Fork once, if there is a request. Returns False if the worker is gone."""
        request, descriptors, _, _ = socket.recv_fds(
            self._worker, len(FORK), 1, socket.MSG_CMSG_CLOEXEC
        )
        if not request:
            return False
        [standard_input] = descriptors
        try:
            pid = os.fork()
            if pid == 0:
                self._become_job_process(standard_input)
        except OSError:
            self._worker.send(event(NOT_FORKED, 1))
            return True
        finally:
            os.close(standard_input)
        pidfd = os.pidfd_open(pid)
        self._selector.register(pidfd, selectors.EVENT_READ, pid)
        socket.send_fds(self._worker, [event(pid)], [pidfd])
        return True

    def _report_end(self, pid: int, pidfd: int) -> None:
        self._selector.unregister(pidfd)
        os.close(pidfd)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._worker.send(event(pid, status))

    def _become_job_process(self, standard_input: int) -> None:
        """Run in the forked process, and never return."""
        status = 1
        try:
            os.setsid()
            die_with_parent()
            if os.getppid() != self._pid:
                os._exit(ORPHANED)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            self._selector.close()
            self._worker.close()
            os.dup2(standard_input, sys.stdin.fileno())
            os.close(standard_input)
            report_errors(self._settings.sentry_dsn)
            name_process("job waiting")
            status = perform_next(self._settings)
        except BaseException:  # noqa: BLE001 - the process ends here in any case
            sys.excepthook(*sys.exc_info())
        finally:
            flush_reports()
            os._exit(status)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
