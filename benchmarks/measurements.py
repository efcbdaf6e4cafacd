"""The measurements, their references and their goals."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from benchmarks import bare
from benchmarks.databases import NewDatabase, row_versions
from benchmarks.job_process import ProcessRun, import_roll
from benchmarks.plain_importer import import_plainly
from benchmarks.rolls import (
    write_csv,
    write_ods,
    write_shuffled_roll,
    write_xlsx,
    write_xlsx_shared,
)

CSV_MIB = 100
WORKBOOK_MIB = 200
ONLY_OPENPYXL = {"FAST_SHEET_BYTES": "0"}


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line of the table. `ratio` is the speed relative to that of `against`."""

    work: str
    rows_per_second: float
    peak_mib: float | None = None
    max_mib: int | None = None
    ratio: float | None = None
    goal: float | None = None
    against: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether all goals are met, or None if there are none."""
        results = []
        if self.goal is not None and self.ratio is not None:
            results.append(self.ratio >= self.goal)
        if self.max_mib is not None and self.peak_mib is not None:
            results.append(self.peak_mib <= self.max_mib)
        return all(results) if results else None


@dataclass(frozen=True, slots=True)
class Setup:
    """A setup to measure: a kind of database, and a folder for files."""

    kind: str
    new_database: NewDatabase
    folder: Path


def csv_imports(setup: Setup, count: int) -> Iterator[Measurement]:
    """Measure the import of a sorted file against bare loading.

    On PostgreSQL, also import the same file again, and import a shuffled file.
    """
    roll = write_csv(setup.folder / "roll.csv", count)
    goal = 0.40 if setup.kind == "PostgreSQL" else 0.45
    with setup.new_database() as url:
        first, seconds = _beside(setup, roll, lambda: import_roll(url, roll))
        against = "bare COPY" if setup.kind == "PostgreSQL" else "bare executemany"
        work = f"CSV {count:,} -> {setup.kind}"
        yield _line(work, count, first, CSV_MIB, seconds / first.seconds, goal, against)
        if setup.kind != "PostgreSQL":
            return
        before = row_versions(url)
        again = import_roll(url, roll)
        if row_versions(url) != before:
            raise SystemExit("importing the same file again has rewritten rows")
        speedup = first.seconds / again.seconds
        yield _line(f"{work}, again", count, again, CSV_MIB, speedup, 1.3, "the first time")
    shuffled_roll = write_shuffled_roll(setup.folder / "shuffled.csv", roll)
    with setup.new_database() as url:
        run, seconds = _beside(setup, shuffled_roll, lambda: import_roll(url, shuffled_roll))
    yield _line(f"{work}, shuffled", count, run, CSV_MIB, seconds / run.seconds, 0.75, against)


def workbook_imports(setup: Setup, count: int) -> Iterator[Measurement]:
    """Measure workbooks with both libraries, against a loop that only reads with openpyxl."""
    with_inline_strings = write_xlsx(setup.folder / "inline.xlsx", count)
    with_shared_strings = write_xlsx_shared(setup.folder / "shared.xlsx", with_inline_strings)
    for book in (with_inline_strings, with_shared_strings):
        seconds = mean(bare.read_sheet(book) for _ in range(2))
        for library, settings in (("openpyxl", ONLY_OPENPYXL), ("default", {})):
            with setup.new_database() as url:
                run = import_roll(url, book, **settings)
            work = f"XLSX {count:,} {book.stem}, {library}"
            ratio = seconds / run.seconds
            yield _line(work, count, run, WORKBOOK_MIB, ratio, 0.9, "bare iter_rows")
    book = write_ods(setup.folder / "roll.ods", count)
    with setup.new_database() as url:
        yield _line(f"ODS {count:,}", count, import_roll(url, book), WORKBOOK_MIB)


def plain_imports(setup: Setup, count: int) -> Iterator[Measurement]:
    """Measure a plain importer, as most services have one, for comparison."""
    roll = write_csv(setup.folder / "plain.csv", count)
    with setup.new_database() as url:
        seconds = import_plainly(url, roll)
    yield Measurement(f"an ORM upsert a row, {setup.kind}", count / seconds)


def growth(setup: Setup, small: int, large: int) -> Iterator[Measurement]:
    """Measure a small and a large file: time for each row and memory must not grow."""
    runs = []
    for count in (small, large):
        roll = write_csv(setup.folder / "roll.csv", count)
        with setup.new_database() as url:
            runs.append(import_roll(url, roll))
    first, second = runs
    ratio = (first.seconds / small) / (second.seconds / large)
    memory = int(first.peak_mib * 1.15)
    work = f"CSV {large:,} -> {setup.kind}"
    yield _line(work, large, second, memory, ratio, 1 / 1.3, f"CSV {small:,}")


def _beside(
    setup: Setup, roll: Path, measure: Callable[[], ProcessRun]
) -> tuple[ProcessRun, float]:
    """Measure between two runs of bare loading. Returns the result and their mean in seconds."""
    before = _bare(setup, roll)
    run = measure()
    return run, mean((before, _bare(setup, roll)))


def _bare(setup: Setup, roll: Path) -> float:
    with setup.new_database() as url:
        return bare.load(url, roll)


def _line(
    work: str,
    count: int,
    run: ProcessRun,
    max_mib: int,
    ratio: float | None = None,
    goal: float | None = None,
    against: str = "",
) -> Measurement:
    return Measurement(work, count / run.seconds, run.peak_mib, max_mib, ratio, goal, against)
