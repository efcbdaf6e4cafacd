"""The processes of one campaign: starting, finding by a mark, killing, restarting, stopping."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

BIN = Path(sys.executable).parent
# A variable that all processes of the campaign have, because descendants inherit the environment.
MARK = "CHAOS_CAMPAIGN"
TEMPLATE = b"job template\n"
JOB_PROCESS = b"job process\n"


@dataclass(frozen=True, slots=True)
class JobProcess:
    """A job process at work: its process id, that of its worker, and its job and attempt."""

    pid: int
    worker_pid: int
    job_id: UUID
    attempt: int


class Fleet:
    """The commands of a Procfile as processes, each in its own session and with its own log."""

    def __init__(self, tree: Path, environment: Mapping[str, str], logs: Path) -> None:
        self._tree = tree
        self._environment = dict(environment)
        self._mark = f"{MARK}={environment[MARK]}".encode()
        self._logs = logs
        self._commands = _procfile(tree)
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._killed_pids: set[int] = set()
        # While a process is restarted, its old process id must not be killed.
        self._lock = threading.Lock()
        self.restarts = 0
        self.ended_by_themselves: list[str] = []

    def start(self, name: str) -> None:
        """Start `web`, `worker` or `worker-2`. The part before the dash is the Procfile's name."""
        command = self._commands[name.partition("-")[0]]
        with (self._logs / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=self._tree,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def command(self, *words: str) -> str:
        """Run a `flask` command of the service and return what it prints."""
        process = subprocess.run(
            [BIN / "flask", *words],
            cwd=self._tree,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return process.stdout.strip()

    def kill(self, name: str, *, whole_group: bool) -> None:
        """Send SIGKILL to a process, or to its whole process group."""
        with self._lock, suppress(ProcessLookupError):
            process = self._processes[name]
            self._killed_pids.add(process.pid)
            (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)

    def halt(self, name: str) -> None:
        """End a process with SIGTERM. `revive` does not restart it."""
        with self._lock:
            process = self._processes.pop(name)
            process.terminate()
            process.wait(10)

    def revive(self) -> None:
        """Restart ended processes, as the platform does. Record those that were not killed."""
        with self._lock:
            for name, process in list(self._processes.items()):
                if process.poll() is None:
                    continue
                if process.pid not in self._killed_pids:
                    self.ended_by_themselves.append(f"{name} with status {process.returncode}")
                self.start(name)
                self.restarts += 1

    def pid(self, name: str) -> int:
        """The process id that runs under this name now."""
        return self._processes[name].pid

    def job_processes(self) -> list[JobProcess]:
        """The job processes that run now, those of killed workers included.

        The logs of the workers say which job a process has.
        """
        pids = [pid for pid in self.own_pids() if _name(pid) == JOB_PROCESS]
        # Callers ask again and again, so the logs are read only when they are needed.
        started = self._attempts_started() if pids else {}
        return [JobProcess(pid, _worker_of(pid), *started[pid]) for pid in pids if pid in started]

    def _attempts_started(self) -> dict[int, tuple[UUID, int]]:
        """The job and the attempt of each process id that the logs name."""
        started = {}
        for log in self._logs.glob("worker*.log"):
            for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
                if '"attempt started"' in line:
                    fields = json.loads(line)
                    started[fields["pid"]] = (UUID(fields["job_id"]), fields["attempt"])
        return started

    def templates(self) -> list[int]:
        """The process ids of the template processes."""
        return [pid for pid in self.own_pids() if _name(pid) == TEMPLATE]

    def own_pids(self) -> list[int]:
        """The ids of all processes with the mark of this campaign."""
        numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [
            pid
            for pid in numbers
            if pid != os.getpid() and self._mark in _read(f"/proc/{pid}/environ").split(b"\0")
        ]

    def send(self, pid: int, number: signal.Signals) -> bool:
        """Signal a process of the campaign. Returns False if it no longer exists."""
        if self._mark not in _read(f"/proc/{pid}/environ").split(b"\0"):
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    def stop(self) -> None:
        """Ask all processes to end, then kill the rest."""
        for process in self._processes.values():
            for number in (signal.SIGCONT, signal.SIGTERM):
                process.send_signal(number)
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
        for pid in self.own_pids():
            self.send(pid, signal.SIGKILL)
        for process in self._processes.values():
            process.wait(10)


def wait_until(probe: Callable[[], bool], seconds: float, step_seconds: float = 0.1) -> bool:
    """Wait until `probe` returns True. Returns whether it did within `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if probe():
            return True
        time.sleep(step_seconds)
    return probe()


def _procfile(tree: Path) -> dict[str, str]:
    lines = (tree / "Procfile").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line.strip())


def _name(pid: int) -> bytes:
    return _read(f"/proc/{pid}/comm")


def _worker_of(pid: int) -> int:
    """The worker of a job process, which a template may have forked."""
    parent = _parent(pid)
    return _parent(parent) if _name(parent) == TEMPLATE else parent


def _parent(pid: int) -> int:
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError):
        return b""
