"""The lower bound for an importer: loading or reading the rows of a file without any check."""

import csv
import os
import sqlite3
import sys
import time
from pathlib import Path

import psycopg

from benchmarks.job_process import run
from shared.roll_file.fields import FIELDS

COLUMNS = ", ".join(FIELDS)
READ_SHEET = """
import sys
from openpyxl import load_workbook
for row in load_workbook(sys.argv[1], read_only=True).active.iter_rows(values_only=True):
    pass
"""


def load(url: str, roll: Path) -> float:
    """Load a CSV file into the empty roll without checks. Returns the seconds it takes."""
    start = time.perf_counter()
    if url.startswith("sqlite"):
        _execute_many(url.removeprefix("sqlite:///"), roll)
    else:
        _copy(url, roll)
    return time.perf_counter() - start


def read_sheet(workbook: Path) -> float:
    """Read all cells with openpyxl in a process of its own. Returns the seconds it takes."""
    command = [sys.executable, "-W", "ignore", "-c", READ_SHEET, str(workbook)]
    return run(command, dict(os.environ)).seconds


def _copy(url: str, roll: Path) -> None:
    statement = f"COPY voter ({COLUMNS}) FROM STDIN (FORMAT csv, HEADER)"
    with (
        psycopg.connect(url) as connection,
        connection.cursor() as cursor,
        cursor.copy(statement) as copy,
        roll.open("rb") as file,
    ):
        while block := file.read(1024 * 1024):
            copy.write(block)


def _execute_many(path: str, roll: Path) -> None:
    marks = ", ".join("?" * len(FIELDS))
    with sqlite3.connect(path) as connection, roll.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        connection.executemany(f"INSERT INTO voter ({COLUMNS}) VALUES ({marks})", reader)  # noqa: S608
    connection.close()
