"""Limits of one job process, which the kernel enforces whatever the file does."""

import os
import resource
import signal

MIB = 1024 * 1024
# Exit statuses of a job process that its worker understands.
OUT_OF_MEMORY = 4
OUT_OF_REACH = 5
DISK_FULL = 6
KILL_AFTER_SECONDS = 5
# If the web process runs on the same machine, its requests take priority (nice(2)).
NICENESS = 10
# Python raises MemoryError, which becomes a status of ours. Rust and C abort.
MEMORY_STATUSES = frozenset({OUT_OF_MEMORY, -signal.SIGABRT})
TIME_STATUSES = frozenset({-signal.SIGXCPU})


def limit_process(*, memory_limit_mb: int, cpu_seconds: int) -> None:
    """Limit this process permanently. `memory_limit_mb` is in MiB.

    The limit counts private data (RLIMIT_DATA, setrlimit(2)), not the address space, of which the C
    library reserves more than it uses. There are no core files, because they would contain voters.
    """
    memory_bytes = memory_limit_mb * MIB
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    # SIGXCPU comes at the first limit, SIGKILL at the second. With equal limits, only SIGKILL
    # comes.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + KILL_AFTER_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)
