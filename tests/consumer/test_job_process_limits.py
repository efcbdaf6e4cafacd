"""The end of a process that exceeds its limits."""

import subprocess
import sys

import pytest

from config.settings import PROJECT_ROOT
from shared.importing.limits import MEMORY_STATUSES, TIME_STATUSES

ROOT = PROJECT_ROOT
LIMITED = "from shared.importing.limits import limit_process\nlimit_process({limits})\n{then}"


def status_of(limits: str, then: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED.format(limits=limits, then=then)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        timeout=60,
        check=False,
    )
    return done.returncode


def test_the_exit_status_shows_used_up_processor_time() -> None:
    status = status_of("memory_limit_mb=500, cpu_seconds=1", "while True: pass")
    assert status in TIME_STATUSES


@pytest.mark.parametrize(
    "then",
    [
        "import sys\ntry: bytearray(400 << 20)\nexcept MemoryError: sys.exit(4)",
        "import os\nos.abort()",
    ],
)
def test_the_exit_status_shows_used_up_memory(then: str) -> None:
    status = status_of("memory_limit_mb=200, cpu_seconds=60", then)
    assert status in MEMORY_STATUSES
