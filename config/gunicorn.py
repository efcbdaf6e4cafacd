"""Gunicorn's settings, named as Gunicorn names them; it reads this file by itself.

Gunicorn takes `PORT` (all interfaces, 8000 on loopback without it) and `WEB_CONCURRENCY` from the
environment on its own.
"""

import os
import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from prometheus_client import values

from config.advice import give_advice
from config.metrics_folder import make_folder
from config.process import begin_process
from config.settings import SettingsError, load_settings

# The application finds its worker under this name among its extensions.
WORKER = "gunicorn.worker"
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 # nosec B108 # no file of ours
# Where the workers count their requests; prometheus-client looks for it under this name.
METRICS_FOLDER = "PROMETHEUS_MULTIPROC_DIR"

worker_class = "api.server.worker.WebWorker"
logger_class = "api.server.log.WebLog"
# Also the size of each process's pool of database connections: a thread uses one at most.
threads = 8
# For a worker whose main loop hangs. A slow client keeps neither it nor, for long, a thread.
timeout = 60
graceful_timeout = 25
keepalive = 5
# Half the descriptors that a process commonly has. The heads that they send are of 32 KiB at most,
# see api/server/worker.py.
worker_connections = 500
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 8190
# Blocks of a file are sent like any answer, so that a slow client can be told.
sendfile = False
# Who is a proxy is told by TRUSTED_PROXIES alone; Gunicorn would believe everybody on loopback.
forwarded_allow_ips = ""
max_requests = 5000
max_requests_jitter = 500
# A heartbeat file on a slow disk makes the arbiter kill healthy workers; None is Gunicorn's own
# choice of place where there is no memory file system.
worker_tmp_dir = str(MEMORY_FOLDER) if MEMORY_FOLDER.is_dir() else None
preload_app = False
# The request's summary line is ours; see api/middleware/request_log.py.
accesslog = None
control_socket_disable = True


def on_starting(server: object) -> None:
    """Refuse bad settings once, in the arbiter; it would restart a worker that exits for ever."""
    try:
        settings = load_settings()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    # That a worker was killed or hangs is reported by the arbiter alone.
    begin_process(settings)
    give_advice(settings)
    os.environ[METRICS_FOLDER] = make_folder(Path(worker_tmp_dir or tempfile.gettempdir()))


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker a number that no living one has. One that takes the place of another goes
    on with its counts, and so there are never more files than there were workers at a time."""
    taken = {living.metrics_number for living in server.WORKERS.values()}
    worker.metrics_number = next(number for number in count() if number not in taken)


def post_fork(server: object, worker: Any) -> None:
    """Let prometheus-client count in the worker's file, before the application is imported."""
    in_files: Any = values.MultiProcessValue
    values.ValueClass = in_files(lambda: worker.metrics_number)


def on_exit(server: object) -> None:
    """Nothing is left behind."""
    shutil.rmtree(os.environ[METRICS_FOLDER], ignore_errors=True)


def post_worker_init(worker: Any) -> None:
    """Let the application know when its worker is to stop."""
    worker.wsgi.extensions[WORKER] = worker
