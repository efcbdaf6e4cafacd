"""A plain importer, as most services have one: a chunked reader, one ORM upsert for each row."""

import csv
import time
from itertools import islice
from pathlib import Path

from shared.database.connection import database, open_database
from shared.voters.models import Voter

CHUNK_ROWS = 1000


def import_plainly(url: str, roll: Path) -> float:
    """Import without checks and without a report. Returns the seconds it takes."""
    open_database(url)
    start = time.perf_counter()
    with database.connection_context(), roll.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        while chunk := list(islice(reader, CHUNK_ROWS)):
            with database.atomic():
                for row in chunk:
                    _save(row)
    return time.perf_counter() - start


def _save(row: dict[str, str]) -> None:
    values = {
        **row,
        "year": int(row["year"]),
        "is_eligible": row["is_eligible"] == "true",
    }
    voter = Voter.get_or_none(Voter.student_id == row["student_id"])
    if voter is None:
        Voter.create(**values)
        return
    for name, value in values.items():
        setattr(voter, name, value)
    voter.save()
