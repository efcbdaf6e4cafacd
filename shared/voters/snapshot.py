"""The roll at one moment, kept in a file for as long as a client takes to fetch it."""

import csv
import tempfile
from collections.abc import Iterator
from typing import IO

from shared.database import database, stream
from shared.voters.queries import Sought, rows_in_order

# The seven fields; the year is None where it is not known.
RollRow = tuple[str, str, str, str, str, int | None, bool]


class Snapshot:
    """The voters that were sought, by id, in a temporary file without a name.

    Only reading them from the database takes a transaction, some seconds for a million voters:
    a client that fetches slowly holds up no import and no VACUUM. Memory is flat. An import that
    is applied meanwhile is in it as a whole or not at all.
    """

    def __init__(self, sought: Sought) -> None:
        self._file: IO[str] = tempfile.TemporaryFile("w+", newline="", encoding="utf-8")  # noqa: SIM115
        try:
            with database.connection_context():
                csv.writer(self._file).writerows(_rows(sought))
        except BaseException:
            self.close()
            raise

    def rows(self) -> Iterator[RollRow]:
        """The rows, once: the file is gone behind the last."""
        with self._file as file:
            file.seek(0)
            for *texts, year, is_eligible in csv.reader(file):
                yield (*texts, int(year) if year else None, is_eligible == "1")  # type: ignore[misc]

    def close(self) -> None:
        """Let the file go, also when nobody wants its rows any more."""
        self._file.close()


def _rows(sought: Sought) -> Iterator[tuple[object, ...]]:
    for *texts, year, is_eligible in stream(rows_in_order(sought)):
        yield (*texts, year, int(is_eligible))
