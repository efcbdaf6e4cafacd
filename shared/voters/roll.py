"""The roll as a whole: one writer at a time, and a number that tells whether it has changed."""

from shared.database.connection import database, is_postgresql
from shared.database.sql import clock
from shared.voters.models import Roll

ROLL_LOCK_KEY = 0x526F6C6C  # "Roll"
ONLY_ROW = 1


def lock_roll() -> None:
    """Let one transaction at a time change the roll, until this one ends.

    What it reads of the roll stays true until then. SQLite needs no more than its transaction,
    which is begun IMMEDIATE.
    """
    if is_postgresql():
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (ROLL_LOCK_KEY,))


def roll_version() -> int:
    """How often the roll has changed; 0 before the first import."""
    roll = Roll.get_or_none(Roll.id == ONLY_ROW)
    return 0 if roll is None else int(roll.version)


def note_roll_changed() -> int:
    """Count a change, in the transaction of `lock_roll`; returns the new version."""
    Roll.insert(id=ONLY_ROW, version=1, changed_at=clock()).on_conflict(
        conflict_target=[Roll.id],
        update={Roll.version: Roll.version + 1, Roll.changed_at: clock()},
    ).execute()
    return roll_version()
