"""What every process of the service does first."""

import os

from config.error_reports import report_errors
from config.logging import configure_logging
from config.settings import Settings
from config.unhandled import log_unhandled

# Of group and others: nothing. Every file may hold voters, or bytes that became one.
PRIVATE = 0o077


def begin_process(settings: Settings) -> None:
    """Make new files private, send log lines to standard error, and report errors.

    What nobody catches is logged as well, also in threads and where Python can only ignore it.
    """
    keep_files_private()
    configure_logging(settings.log_level, readable=settings.debug)
    log_unhandled()
    report_errors(settings.sentry_dsn)


def keep_files_private() -> None:
    """Let only the owner read and write what this process and its children make from now on."""
    os.umask(PRIVATE)
