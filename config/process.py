"""What every process of the service does first."""

import ctypes
import os
import signal
import sys

from config.error_reports import report_errors
from config.logging import configure_logging
from config.settings import Settings
from config.unhandled import log_unhandled

# Group and others get no access, because every file may hold voters, or the bytes they came from.
PRIVATE = 0o077
# prctl(2)
PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15


def begin_process(settings: Settings) -> None:
    """Make new files private, send log lines to standard error, and report errors.

    Uncaught errors are logged too, also in threads and where Python can only ignore them.
    """
    keep_files_private()
    configure_logging(settings.log_level, readable=settings.debug)
    log_unhandled()
    report_errors(settings.sentry_dsn)


def name_process(name: str) -> None:
    """Set the name that `ps -o comm` and `top` show on Linux, of at most 15 bytes."""
    _prctl(PR_SET_NAME, name.encode())


def die_with_parent() -> None:
    """Let the Linux kernel kill this process when the thread that started it ends."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, argument: bytes | int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, argument)


def keep_files_private() -> None:
    """Give only the owner access to files that this process and its children create from now on."""
    os.umask(PRIVATE)
