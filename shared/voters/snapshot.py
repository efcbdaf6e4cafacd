"""A snapshot of the roll, kept in a file while a client downloads it."""

import csv
import tempfile
from collections.abc import Iterator
from io import TextIOWrapper
from typing import IO, Any

from peewee import ModelSelect, __exception_wrapper__  # type: ignore[attr-defined]

from shared.database.connection import database, is_postgresql
from shared.roll_file.fields import VoterRow
from shared.voters.queries import VoterFilter, rows_in_order

# True, as SQLite and PostgreSQL write it.
TRUE = ("1", "t")
READ_SECONDS = 60


class Snapshot:
    """The voters that match a filter, by id, in a temporary file without a name.

    Only reading them from the database takes a transaction: some seconds for a million voters. A
    slow client therefore blocks no import and no VACUUM. Memory is constant. The snapshot has a
    concurrent import as a whole or not at all.
    """

    def __init__(self, voter_filter: VoterFilter) -> None:
        self._file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            with database.connection_context():
                write = _copy if is_postgresql() else _write
                write(rows_in_order(voter_filter), self._file)
            # A full disk must be noticed before the response begins.
            self._file.flush()
        except BaseException:
            self.close()
            raise

    def rows(self) -> Iterator[VoterRow]:
        """Yield the rows once. The file is closed after the last."""
        self._file.seek(0)
        with TextIOWrapper(self._file, encoding="utf-8", newline="") as file:
            for row in csv.reader(file):
                student_id, first_name, last_name, email, department, year, is_eligible = row
                texts = (student_id, first_name, last_name, email, department)
                yield (*texts, int(year) if year else None, is_eligible in TRUE)

    def close(self) -> None:
        """Close and delete the file, also if the rows were not read to the end."""
        self._file.close()


def _copy(query: "ModelSelect[Any]", file: IO[bytes]) -> None:
    """Copy the rows by one statement, with a longer timeout because a roll may have any size."""
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
    # The file must stay open when the wrapper is deleted.
    text.detach()
