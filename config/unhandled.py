"""Log lines for uncaught errors, because Python's own traceback would quote rows."""

import logging
import sys
import threading
from types import TracebackType

logger = logging.getLogger(__name__)


def log_unhandled() -> None:
    """Log errors that end this process or a thread, and errors that Python can only ignore."""
    sys.excepthook = _ends_process
    threading.excepthook = _ends_thread
    sys.unraisablehook = _is_ignored


def _ends_process(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logger.critical("process ended by an internal error", exc_info=(kind, error, trace))


def _ends_thread(arguments: threading.ExceptHookArgs) -> None:
    if issubclass(arguments.exc_type, SystemExit) or arguments.exc_value is None:
        return
    logger.critical(
        "thread ended by an internal error",
        exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback),
        extra={"name_of_thread": arguments.thread.name if arguments.thread else None},
    )


def _is_ignored(arguments: "sys.UnraisableHookArgs") -> None:
    if arguments.exc_value is not None:
        logger.error(
            "error ignored by Python",
            exc_info=(arguments.exc_type, arguments.exc_value, arguments.exc_traceback),
            extra={"kind_of_object": type(arguments.object).__name__},
        )
