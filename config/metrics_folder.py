"""The folder in which the web processes of one Gunicorn count their requests, each in its own file.

prometheus-client has two settings for it, which both are global in a process: a variable of the
environment, and the class of a count. Only this module sets them.

The folder is locked as long as one of these processes lives. If it is not locked, another Gunicorn
may remove it: the first one was killed, and could not do so.
"""

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from prometheus_client import values

PREFIX = "voters-metrics-"
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
# Another Gunicorn may have just created its folder and not locked it yet.
MIN_AGE_SECONDS = 60.0


def make_folder(parent: Path) -> str:
    """Create a folder that this process and its children lock, and remove abandoned ones."""
    for old in parent.glob(f"{PREFIX}*"):
        _remove_if_abandoned(old)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
    # Never closed: the lock ends with the last process that has the descriptor.
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)
    return folder


def use_folder(folder: str) -> None:
    """Make this process and its children count in files of the folder."""
    os.environ[VARIABLE] = folder


def remove_folder() -> None:
    """Remove the folder that this process uses."""
    shutil.rmtree(os.environ[VARIABLE], ignore_errors=True)


def count_in_file(number: int) -> None:
    """Make this process count in the file of this number, and not in that of its process id.

    Call it before a metric is made, because each metric makes its counts then.
    """
    in_file: Any = values.MultiProcessValue
    values.ValueClass = in_file(lambda: number)


def _remove_if_abandoned(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        # It is gone, or belongs to another user.
        return
    try:
        if time.time() - os.fstat(descriptor).st_mtime >= MIN_AGE_SECONDS:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        # It is in use.
        return
    finally:
        os.close(descriptor)
