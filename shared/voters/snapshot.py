"""The roll at one moment, kept in a file for as long as a client takes to fetch it."""

import csv
import tempfile
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO, Any

from peewee import ModelSelect, __exception_wrapper__  # type: ignore[attr-defined]

from shared.database.connection import database, is_postgresql
from shared.voters.queries import Sought, rows_in_order

# The seven fields; the year is None where it is not known.
RollRow = tuple[str, str, str, str, str, int | None, bool]

# As SQLite and as PostgreSQL write it.
TRUE = ("1", "t")
READ_SECONDS = 60


class Snapshot:
    """The voters that were sought, by id, in a temporary file without a name.

    Only reading them from the database takes a transaction, some seconds for a million voters:
    a client that fetches slowly holds up no import and no VACUUM. Memory is flat. An import that
    is applied meanwhile is in it as a whole or not at all.
    """

    def __init__(self, sought: Sought) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            with database.connection_context():
                (_copy if is_postgresql() else _write)(rows_in_order(sought), self._file)
            # What does not fit on the disk must be known before the answer begins.
            self._file.flush()
        except BaseException:
            self.close()
            raise

    def rows(self) -> Iterator[RollRow]:
        """The rows, once: the file is gone behind the last."""
        self._file.seek(0)
        with TextIOWrapper(self._file, encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                student_id, first_name, last_name, email, department, year, is_eligible = row
                texts = (student_id, first_name, last_name, email, department)
                yield (*texts, int(year) if year else None, is_eligible in TRUE)

    def close(self) -> None:
        """Let the file go, also when nobody wants its rows any more."""
        self._file.close()


def _copy(query: "ModelSelect[Any]", file: IO[bytes]) -> None:
    """One statement reads a roll of any size, and may take its time for it."""
    statement, parameters = query.sql()
    with database.atomic(), __exception_wrapper__:
        database.execute_sql(f"SET LOCAL statement_timeout = {READ_SECONDS * 1000}")
        with (
            database.connection().cursor() as cursor,
            cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT csv)", parameters) as copy,
        ):
            for block in copy:
                file.write(block)


def _write(query: "ModelSelect[Any]", file: IO[bytes]) -> None:
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    csv.writer(text).writerows(database.execute(query))
    # The file stays open when the wrapper goes.
    text.detach()
