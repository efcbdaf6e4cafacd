"""The folder in which the web processes of one Gunicorn count their requests.

It is locked as long as one of these processes lives. If it is not locked, another Gunicorn may
remove it: the first one was killed, and could not do so.
"""

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "voters-metrics-"
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
