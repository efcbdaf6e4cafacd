"""`python -m benchmarks`: print rows per second and peak memory of the job process as a table.

Each import runs in a real job process, measured from its start to its end, on a migrated database.
The benchmark measures the reference in the same run, just before and after the import. Compare the
ratios, because machines differ and their speed changes from hour to hour. docs/performance.md
explains the table.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks import measurements
from benchmarks.databases import answers, postgresql_database, sqlite_database
from benchmarks.measurements import Measurement, Setup

ROW = "{:<36}{:>9}{:>6}{:>7}  {:<42}{}"


def main() -> int:
    """Measure, and print each line as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the rows")
    parser.add_argument("--growth", action="store_true", help="only 500,000 beside 5,000,000 rows")
    parser.add_argument("--postgresql", default="postgresql://postgres@127.0.0.1:5432/postgres")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="voter-bench-") as name:
        setups = _setups(Path(name), arguments.postgresql)
        print(ROW.format("work", "rows/s", "MiB", "ratio", "against (goals)", ""))
        lines = _growth(setups) if arguments.growth else _all(setups, quick=arguments.quick)
        for line in lines:
            print(_text_of(line), flush=True)
    return 0


def _setups(folder: Path, postgresql: str) -> list[Setup]:
    setups = [Setup("SQLite", lambda: sqlite_database(folder), folder)]
    if answers(postgresql):
        setups.insert(0, Setup("PostgreSQL", lambda: postgresql_database(postgresql), folder))
    else:
        print(f"PostgreSQL is left out: nothing answers at {postgresql}")
    return setups


def _all(setups: list[Setup], *, quick: bool) -> Iterator[Measurement]:
    scale = 10 if quick else 1
    for setup in setups:
        yield from measurements.csv_imports(setup, 100_000 // scale)
        yield from measurements.csv_imports(setup, 1_000_000 // scale)
    yield from measurements.workbook_imports(setups[0], 100_000 // scale)
    for setup in setups:
        yield from measurements.plain_imports(setup, 20_000 // scale)


def _growth(setups: list[Setup]) -> Iterator[Measurement]:
    for setup in setups:
        yield from measurements.growth(setup, 500_000, 5_000_000)


def _text_of(line: Measurement) -> str:
    goals = []
    if line.goal is not None:
        goals.append(f"{line.against} (>= {line.goal:.2f})")
    if line.max_mib is not None:
        goals.append(f"<= {line.max_mib} MiB")
    return ROW.format(
        line.work,
        f"{line.rows_per_second:,.0f}",
        "" if line.peak_mib is None else f"{line.peak_mib:.0f}",
        "" if line.ratio is None else f"{line.ratio:.2f}",
        ", ".join(goals),
        {True: "met", False: "not met", None: ""}[line.is_met],
    ).rstrip()


if __name__ == "__main__":
    sys.exit(main())
