"""One import in a real job process, measured from its start to its end."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from shared.database.connection import database, open_database
from shared.importing.submission import keep
from shared.jobs import jobs
from shared.jobs.states import JobState
from shared.storage.choice import open_store

POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class ProcessRun:
    """Elapsed seconds, and the largest resident memory of the process in MiB."""

    seconds: float
    peak_mib: float


def import_roll(url: str, roll: Path, **settings: str) -> ProcessRun:
    """Import a file into the database. `settings` are variables for the job process."""
    open_database(url)
    uploads = f"file:{roll.parent / 'uploads'}"
    with roll.open("rb") as file:
        stored_file = keep(file, roll.name, store=open_store(uploads), max_bytes=1 << 40)
    claim = jobs.create_started(
        stored_file, uploaded_by="benchmark", dry_run=False, worker="benchmark", lease_seconds=3600
    )
    database.close()
    environment = {
        **os.environ,
        "DEBUG": "1",
        "LOG_LEVEL": "WARNING",
        "DATABASE_URL": url,
        "UPLOAD_STORE": uploads,
        "MAX_ROWS": str(10**9),
        **settings,
    }
    command = [sys.executable, "-m", "consumer.job_process", str(claim.job_id), str(claim.attempt)]
    process_run = run(command, environment)
    job = jobs.find(claim.job_id)
    database.close()
    if job is None:
        raise SystemExit("the job of the import is gone")
    if job.state != JobState.SUCCESS:
        raise SystemExit(f"the import failed: {job.error_message}")
    open_store(uploads).delete(stored_file.key)
    return process_run


def run(command: list[str], environment: dict[str, str]) -> ProcessRun:
    """Run a process to its end and measure it."""
    start = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
    peak_kib = 0
    while process.poll() is None:
        peak_kib = _peak_kib(process.pid) or peak_kib
        time.sleep(POLL_SECONDS)
    return ProcessRun(time.perf_counter() - start, peak_kib / 1024)


def _peak_kib(pid: int) -> int:
    """The peak memory of a process in KiB, or 0 if the process has ended.

    wait4(2) is not used, because its value includes memory of the process that forked this one.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except OSError:
        return 0
    match = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(match.group(1)) if match else 0
