"""Gunicorn's settings, under Gunicorn's names. The option `--config` names this file.

Gunicorn itself reads two variables of the environment. `PORT` makes it listen on all interfaces.
Without it, Gunicorn listens on port 8000 of loopback. The other variable is `WEB_CONCURRENCY`.
"""

import tempfile
from itertools import count
from pathlib import Path
from typing import Any

from config.advice import give_advice
from config.metrics_folder import count_in_file, make_folder, remove_folder, use_folder
from config.process import begin_process
from config.settings import SettingsError, load_settings

# The application finds its worker under this name in its extensions.
WORKER = "gunicorn.worker"
MEMORY_FOLDER = Path("/dev/shm")  # noqa: S108 # nosec B108 # no file of ours

worker_class = "api.server.worker.WebWorker"
logger_class = "api.server.log.WebLog"
# Also the size of each process's pool of database connections, because a thread uses one at most.
threads = 8
# For a worker whose main loop hangs. A slow client holds neither the loop nor, for long, a thread.
timeout = 60
graceful_timeout = 25
keepalive = 5
# Half the descriptors that a process usually has. The heads that the connections send have at most
# 32 KiB, see api/server/small_bodies.py.
worker_connections = 500
limit_request_line = 4094
limit_request_fields = 50
limit_request_field_size = 8190
# A file is sent in blocks like any response, so that a slow client can be recognised.
sendfile = False
# Only TRUSTED_PROXIES says who is a proxy. Gunicorn would trust every client on loopback.
forwarded_allow_ips = ""
max_requests = 5000
max_requests_jitter = 500
# On a slow disk, the heartbeat file makes the arbiter kill healthy workers. Without a memory file
# system, None lets Gunicorn choose the folder.
worker_tmp_dir = str(MEMORY_FOLDER) if MEMORY_FOLDER.is_dir() else None
preload_app = False
# The application writes its own summary line, see api/middleware/request_log.py.
accesslog = None
control_socket_disable = True


def on_starting(server: object) -> None:
    """Reject bad settings once, in the arbiter, which would restart a failing worker endlessly."""
    try:
        settings = load_settings()
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    # Only the arbiter reports that a worker was killed or hangs.
    begin_process(settings)
    give_advice(settings)
    use_folder(make_folder(Path(worker_tmp_dir or tempfile.gettempdir())))


def pre_fork(server: Any, worker: Any) -> None:
    """Give the worker a number that no living worker has.

    A worker that replaces another continues its counts. So there are never more files than there
    were workers at the same time.
    """
    used_numbers = {other.metrics_number for other in server.WORKERS.values()}
    worker.metrics_number = next(number for number in count() if number not in used_numbers)


def post_fork(server: object, worker: Any) -> None:
    """Count in the worker's file. The application, which makes the metrics, is imported later."""
    count_in_file(worker.metrics_number)


def on_exit(server: object) -> None:
    """Remove the folder of the counts."""
    remove_folder()


def post_worker_init(worker: Any) -> None:
    """Give the application its worker, which shows when the process is to stop."""
    worker.wsgi.extensions[WORKER] = worker
