"""The folder in which the web processes of one Gunicorn count their requests.

It is locked for as long as one of them lives. Who finds it unlocked may remove it: Gunicorn was
killed then, and could not do so itself.
"""

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "voters-metrics-"
# Another Gunicorn may have made its folder this instant, and not locked it yet.
MIN_AGE_SECONDS = 60.0


def make_folder(parent: Path) -> str:
    """A new folder, locked by this process and its children, in place of abandoned ones."""
    for old in parent.glob(f"{PREFIX}*"):
        _remove_if_abandoned(old)
    folder = tempfile.mkdtemp(prefix=PREFIX, dir=parent)
    # Never closed: the lock goes with the last process that has the descriptor.
    fcntl.flock(os.open(folder, os.O_RDONLY), fcntl.LOCK_EX)
    return folder


def _remove_if_abandoned(folder: Path) -> None:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        # Gone meanwhile, or somebody else's.
        return
    try:
        if time.time() - os.fstat(descriptor).st_mtime >= MIN_AGE_SECONDS:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        # In use.
        return
    finally:
        os.close(descriptor)
