"""`python -m benchmarks.scale`: measure several files with 1, 2 and 4 workers, and a large upload.

The processes of the Procfile run on PostgreSQL and RabbitMQ. Eight files with different ids are
uploaded together. The time counts from the first upload to the end of the last job. Only one
worker at a time applies. More workers therefore help only while reading and comparing take longer
than applying.
"""

import argparse
import csv
import sys
import time
from pathlib import Path

from benchmarks.deployment import FINAL, Deployment, deploy
from benchmarks.rolls import rows
from shared.roll_file.fields import FIELDS

ROLLS = 8
ROWS = 250_000
LARGE_BYTES = 500 * 1024 * 1024
KIB_A_MIB = 1024
ROW = "{:<28}{:>10}{:>12}{:>8}"


def main() -> int:
    """Measure, and print each line as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS, help="of each roll")
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    print(ROW.format("workers", "seconds", "rows/s", "ratio"))
    alone = 0.0
    for workers in (1, 2, 4):
        with deploy(arguments.postgresql, web=1, workers=workers) as service:
            seconds = _import_at_once(service, arguments.rows)
        alone = alone or seconds
        speed = ROLLS * arguments.rows / seconds
        print(ROW.format(workers, f"{seconds:.1f}", f"{speed:,.0f}", f"{alone / seconds:.2f}"))
    settings = {"MAX_UPLOAD_BYTES": str(2 * LARGE_BYTES)}
    with deploy(arguments.postgresql, web=1, workers=0, **settings) as service:
        _upload_much(service)
    return 0


def _import_at_once(service: Deployment, count: int) -> float:
    rolls = [_write_roll(service.folder / f"{letter}.csv", letter, count) for letter in "ABCDEFGH"]
    started_at = time.perf_counter()
    for job in [service.upload(roll) for roll in rolls]:
        service.wait_for(job, *FINAL)
        if (state := service.status(job)["state"]) != "SUCCESS":
            raise SystemExit(f"an import ended as {state}")
    return time.perf_counter() - started_at


def _write_roll(path: Path, letter: str, count: int) -> Path:
    """Write a file whose ids no other file has."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        writer.writerows((letter + row[0], *row[1:3], letter + row[3], *row[4:])
                         for row in rows(count))  # fmt: skip
    return path


def _upload_much(service: Deployment) -> None:
    """Upload one large file, and print its speed and the memory of the web process."""
    path = service.folder / "large.csv"
    line = b"S00000000,First,Last,someone@students.example.edu,Law,1,true\r\n"
    with path.open("wb") as file:
        file.write(",".join(FIELDS).encode() + b"\r\n")
        file.write(line * (LARGE_BYTES // len(line)))
    before = _peak_mib(service)
    started_at = time.perf_counter()
    service.upload(path)
    seconds = time.perf_counter() - started_at
    print(
        f"upload of {LARGE_BYTES / 1024**2:.0f} MiB: {LARGE_BYTES / 1e6 / seconds:,.0f} MB/s;"
        f" largest web process {before:.0f} MiB before, {_peak_mib(service):.0f} MiB at its peak"
    )


def _peak_mib(service: Deployment) -> float:
    """The largest memory of any Gunicorn process so far, in MiB."""
    peaks = []
    for pid in service.fleet.own_pids():
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        name = status.partition("\n")[0]
        if "gunicorn" in name:
            peaks.append(int(status.partition("VmHWM:")[2].split()[0]) / KIB_A_MIB)
    return max(peaks)


if __name__ == "__main__":
    sys.exit(main())
