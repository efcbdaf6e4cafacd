"""An empty, migrated database for one measurement, and the bare way to load rows into it."""

import csv
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

from benchmarks.rolls import HEADER
from shared.database import database, migrate, open_database

COLUMNS = ", ".join(HEADER)


@contextmanager
def sqlite_database(folder: Path) -> Iterator[str]:
    """A new SQLite file."""
    path = folder / f"{uuid4().hex}.db"
    url = f"sqlite:///{path}"
    _prepare(url)
    yield url
    for file in folder.glob(f"{path.name}*"):
        file.unlink()


@contextmanager
def postgresql_database(server_url: str) -> Iterator[str]:
    """A new database on a PostgreSQL server, dropped afterwards."""
    name = f"bench_{uuid4().hex}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            url = f"{server_url.rpartition('/')[0]}/{name}"
            _prepare(url)
            yield url
        finally:
            database.close()
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _prepare(url: str) -> None:
    open_database(url)
    migrate()
    database.close()


def load_bare(url: str, roll: Path) -> None:
    """What no importer can beat: the rows into the roll, unread and unchecked."""
    if url.startswith("sqlite"):
        _execute_many(url.removeprefix("sqlite:///"), roll)
    else:
        _copy(url, roll)


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
    marks = ", ".join("?" * len(HEADER))
    with sqlite3.connect(path) as connection, roll.open(newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        connection.executemany(f"INSERT INTO voter ({COLUMNS}) VALUES ({marks})", reader)  # noqa: S608
    connection.close()
