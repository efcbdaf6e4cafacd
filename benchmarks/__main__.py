"""`python -m benchmarks`: rows per second and peak memory of the work horse.

Each import is the real work horse, a process of its own, on an empty roll; beside it stands the
bare loading of the same rows in the same run: COPY on PostgreSQL, `csv.reader` into
`executemany` on SQLite. Compare the ratios: machines differ, and differ from hour to hour.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from benchmarks.databases import load_bare, postgresql_database, sqlite_database
from benchmarks.rolls import write_csv, write_xlsx
from shared.database import database, open_database
from shared.jobs import store as jobs
from shared.jobs.states import JobState
from shared.storage.store import open_store
from shared.submission import keep

NewDatabase = Callable[[], AbstractContextManager[str]]


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of the work horse."""

    seconds: float
    peak_mib: float


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--csv-rows", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--xlsx-rows", type=int, nargs="*", default=[100_000])
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="voter-bench-") as name:
        folder = Path(name)
        kinds: dict[str, NewDatabase] = {"SQLite": lambda: sqlite_database(folder)}
        if _answers(arguments.postgresql):
            kinds["PostgreSQL"] = lambda: postgresql_database(arguments.postgresql)
        else:
            print(f"PostgreSQL is left out: nothing answers at {arguments.postgresql}")
        print(f"{'roll':<18}{'database':<12}{'rows/s':>9}{'bare rows/s':>13}{'ratio':>7}{'MiB':>6}")
        for count in arguments.csv_rows:
            roll = write_csv(folder / "roll.csv", count)
            for kind, new_database in kinds.items():
                _report("CSV", kind, count, _bare(new_database, roll), _run(new_database, roll))
        for count in arguments.xlsx_rows:
            bare_roll = write_csv(folder / "roll.csv", count)
            roll = write_xlsx(folder / "roll.xlsx", count)
            for kind, new_database in kinds.items():
                bare = _bare(new_database, bare_roll)
                _report("XLSX", kind, count, bare, _run(new_database, roll))
    return 0


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _report(roll: str, kind: str, count: int, bare_seconds: float, run: Measured) -> None:
    print(
        f"{f'{roll} {count:,}':<18}{kind:<12}{count / run.seconds:>9,.0f}"
        f"{count / bare_seconds:>13,.0f}{bare_seconds / run.seconds:>7.2f}{run.peak_mib:>6.0f}",
        flush=True,
    )


def _bare(new_database: NewDatabase, roll: Path) -> float:
    with new_database() as url:
        started = time.perf_counter()
        load_bare(url, roll)
        return time.perf_counter() - started


def _run(new_database: NewDatabase, roll: Path) -> Measured:
    """The work horse on its own, from its start to its end."""
    with new_database() as url:
        open_database(url)
        uploads = f"file:{roll.parent / 'uploads'}"
        with roll.open("rb") as file:
            stored = keep(file, roll.name, store=open_store(uploads), max_bytes=1 << 40)
        claim = jobs.create_started(
            stored, uploaded_by="benchmark", dry_run=False, worker="benchmark", lease_seconds=3600
        )
        database.close()
        environment = {
            **os.environ,
            "DEBUG": "1",
            "LOG_LEVEL": "WARNING",
            "DATABASE_URL": url,
            "UPLOAD_STORE": uploads,
        }
        command = [sys.executable, "-m", "consumer.horse", str(claim.job_id), str(claim.attempt)]
        started = time.perf_counter()
        horse = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)
        _, _, usage = os.wait4(horse.pid, 0)
        seconds = time.perf_counter() - started
        horse.returncode = 0
        job = jobs.find(claim.job_id)
        database.close()
        if job is None or job.state != JobState.SUCCESS:
            raise SystemExit(f"the import failed: {job and job.error_message}")
        open_store(uploads).delete(stored.key)
        return Measured(seconds, usage.ru_maxrss / 1024)


if __name__ == "__main__":
    sys.exit(main())
