"""The processes of one campaign: started, known again by a mark, killed, revived, stopped."""

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
# In the environment of everything that the campaign starts, and so in that of all descendants.
MARK = "CHAOS_CAMPAIGN"
HORSE = b"consumer.job_process"


@dataclass(frozen=True, slots=True)
class Horse:
    """A work horse at work: its process, the worker's process, and what it was told to do."""

    pid: int
    worker_pid: int
    job_id: UUID
    attempt: int


class Fleet:
    """The commands of a Procfile as processes, each in a session of its own with its own log."""

    def __init__(self, tree: Path, environment: Mapping[str, str], logs: Path) -> None:
        self._tree = tree
        self._environment = dict(environment)
        self._mark = f"{MARK}={environment[MARK]}".encode()
        self._logs = logs
        self._commands = _procfile(tree)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._condemned: set[int] = set()
        # A process that is being revived must not be killed by its former number.
        self._lock = threading.Lock()
        self.restarts = 0
        self.ended_by_themselves: list[str] = []

    def start(self, name: str) -> None:
        """Start `web`, `worker` or `worker-2`: what stands before the dash is in the Procfile."""
        command = self._commands[name.partition("-")[0]]
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                ["/bin/sh", "-c", f"exec {command}"],
                cwd=self._tree,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def command(self, *words: str) -> str:
        """What a `flask` command of the service prints."""
        done = subprocess.run(
            [BIN / "flask", *words],
            cwd=self._tree,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.strip()

    def kill(self, name: str, *, whole_group: bool) -> None:
        """SIGKILL to a process, or to it and those that it has started in its session."""
        with self._lock, suppress(ProcessLookupError):
            process = self._running[name]
            self._condemned.add(process.pid)
            (os.killpg if whole_group else os.kill)(process.pid, signal.SIGKILL)

    def halt(self, name: str) -> None:
        """End a process well, and leave it so until it is started again."""
        with self._lock:
            process = self._running.pop(name)
            process.terminate()
            process.wait(10)

    def revive(self) -> None:
        """Start again what has ended, as the platform does; note what nobody had killed."""
        with self._lock:
            for name, process in list(self._running.items()):
                if process.poll() is None:
                    continue
                if process.pid not in self._condemned:
                    self.ended_by_themselves.append(f"{name} with status {process.returncode}")
                self.start(name)
                self.restarts += 1

    def pid(self, name: str) -> int:
        """The process that runs under that name now."""
        return self._running[name].pid

    def horses(self) -> list[Horse]:
        """The work horses that run now, those of killed workers included."""
        found = []
        for pid in self.own_pids():
            words = _read(f"/proc/{pid}/cmdline").split(b"\0")
            if HORSE in words:
                job_id, attempt = words[words.index(HORSE) + 1 :][:2]
                found.append(Horse(pid, _parent(pid), UUID(job_id.decode()), int(attempt)))
        return found

    def own_pids(self) -> list[int]:
        """Every process that bears the mark of this campaign."""
        numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [
            pid
            for pid in numbers
            if pid != os.getpid() and self._mark in _read(f"/proc/{pid}/environ").split(b"\0")
        ]

    def send(self, pid: int, number: signal.Signals) -> bool:
        """Signal one of the campaign's own processes; False when it is no longer there."""
        if self._mark not in _read(f"/proc/{pid}/environ").split(b"\0"):
            return False
        with suppress(ProcessLookupError):
            os.kill(pid, number)
            return True
        return False

    def stop(self) -> None:
        """Ask all to end, then make them."""
        for process in self._running.values():
            for number in (signal.SIGCONT, signal.SIGTERM):
                process.send_signal(number)
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
        for pid in self.own_pids():
            self.send(pid, signal.SIGKILL)
        for process in self._running.values():
            process.wait(10)


def wait_until(probe: Callable[[], bool], seconds: float, step_seconds: float = 0.1) -> bool:
    """Whether `probe` became true in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if probe():
            return True
        time.sleep(step_seconds)
    return probe()


def _procfile(tree: Path) -> dict[str, str]:
    lines = (tree / "Procfile").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line.strip())


def _parent(pid: int) -> int:
    fields = _read(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    return int(fields[1]) if fields else 0


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError):
        return b""
