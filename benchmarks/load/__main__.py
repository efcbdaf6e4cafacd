"""`python -m benchmarks.load`: measure response times during imports of 1,000,000 rows.

Two web processes and one worker run as in the Procfile, on PostgreSQL and RabbitMQ. The roll holds
1,000,000 voters. While Locust sends requests, imports of 1,000,000 rows follow each other. The exit
status is 1 if a request failed, or if all imports had ended before the requests did.
"""

import argparse
import csv
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from benchmarks.deployment import FINAL, Deployment, deploy
from benchmarks.rolls import rows, write_csv
from shared.roll_file.fields import FIELDS

VOTERS = 1_000_000
# About a megabyte.
SMALL_ROWS = 12_500
# The shortest time of an import. Enough imports wait to keep the worker busy at this speed.
IMPORT_SECONDS = 6
# The sum of `fixed_count` in the Locust file.
USERS = 9
LOCUSTFILE = Path(__file__).with_name("locustfile.py")
COLUMNS = ("Request Count", "Requests/s", "50%", "99%", "Max Response Time", "Failure Count")
ROW = "{:<24}" + "{:>10}" * len(COLUMNS)


def main() -> int:
    """Measure, print one line for each kind of request, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="of requests")
    parser.add_argument("--locust", default="locust", help="its command")
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    with deploy(arguments.postgresql, web=2, workers=1) as service:
        jobs = _begin_imports(service, arguments.seconds)
        has_failed = _send_requests(service, arguments.locust, arguments.seconds, jobs)
        end_count = sum(1 for job in jobs if service.status(job)["state"] in FINAL)
    print(f"imports of {VOTERS:,} rows that ended meanwhile: {end_count}")
    return 1 if has_failed or end_count == len(jobs) else 0


def _begin_imports(service: Deployment, seconds: int) -> list[str]:
    """Fill the roll, then upload more files than the worker can import in `seconds`.

    Each of them changes a tenth of the voters. Returns the job ids.
    """
    service.wait_for(service.upload(write_csv(service.folder / "roll.csv", VOTERS)), *FINAL)
    versions = [_write_version(service.folder / f"roll-{number}.csv", number) for number in (1, 2)]
    jobs = [service.upload(versions[turn % 2]) for turn in range(seconds // IMPORT_SECONDS + 1)]
    service.wait_for(jobs[0], "STARTED", *FINAL)
    return jobs


def _write_version(path: Path, number: int) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(FIELDS)
        for place, (*others, year, is_eligible) in enumerate(rows(VOTERS)):
            new_year = year if place % 10 else (year + number) % 6 + 1
            writer.writerow((*others, new_year, is_eligible))
    return path


def _send_requests(service: Deployment, locust: str, seconds: int, jobs: Iterable[str]) -> bool:
    """Run Locust for `seconds` and print its results. Returns whether a request failed."""
    figures = service.folder / "locust"
    process = subprocess.run(
        [locust, "--headless", "--only-summary", "--locustfile", LOCUSTFILE, "--host", service.url,
         "--users", str(USERS), "--spawn-rate", str(USERS), "--run-time", f"{seconds}s",
         "--stop-timeout", "30", "--csv", figures],
        env={
            "PATH": "/usr/bin:/bin",
            "LOAD_TOKEN": service.token,
            "LOAD_JOBS": ",".join(jobs),
            "LOAD_ROLL": str(write_csv(service.folder / "small.csv", SMALL_ROWS)),
            "LOAD_VOTERS": str(VOTERS),
        },
        capture_output=True, text=True, timeout=seconds + 120, check=False,
    )  # fmt: skip
    print(ROW.format("milliseconds", "requests", "a second", "p50", "p99", "largest", "errors"))
    with Path(f"{figures}_stats.csv").open(newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            cells = (f"{float(line[column]):,.0f}" for column in COLUMNS)
            print(ROW.format(line["Name"], *cells))
    if process.returncode:
        print(process.stdout, process.stderr)
    return process.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
