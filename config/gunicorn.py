"""Gunicorn's settings, named as Gunicorn names them; it reads this file by itself.

Gunicorn takes `PORT` (all interfaces, 8000 on loopback without it) and `WEB_CONCURRENCY` from the
environment on its own.
"""

import logging
from pathlib import Path
from typing import Any

from config.settings import SettingsError, load_settings

# The application finds its worker under this name among its extensions.
WORKER = "gunicorn.worker"
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 - a memory file system, not a file of ours

worker_class = "gthread"
# Also the size of each process's pool of database connections: a thread uses one at most.
threads = 8
# For a worker whose main loop hangs. A slow upload keeps a thread, never the main loop.
timeout = 60
graceful_timeout = 25
keepalive = 5
max_requests = 5000
max_requests_jitter = 500
# A heartbeat file on a slow disk makes the arbiter kill healthy workers; None is Gunicorn's own
# choice of place where there is no memory file system.
worker_tmp_dir = str(MEMORY_FOLDER) if MEMORY_FOLDER.is_dir() else None
preload_app = False
# The request's summary line is ours; see api/request_log.py.
accesslog = None
control_socket_disable = True


def quote_no_request(record: logging.LogRecord) -> bool:
    """A filter: Gunicorn quotes what it cannot read of a request, which may hold a student id or a
    token."""
    for event in ("Invalid request", "Error handling request"):
        if record.getMessage().startswith(event):
            record.msg, record.args = event, ()
    return True


def on_starting(server: object) -> None:
    """Refuse bad settings once, in the arbiter; it would restart a worker that exits for ever.

    The workers are forked from it, with its log filters.
    """
    logging.getLogger("gunicorn.error").addFilter(quote_no_request)
    try:
        load_settings()
    except SettingsError as error:
        raise SystemExit(str(error)) from None


def post_worker_init(worker: Any) -> None:
    """Let the application know when its worker is to stop."""
    worker.wsgi.extensions[WORKER] = worker
