"""The roll as a whole: a lock for one writer at a time, and a version that counts changes."""

from shared.database.connection import database, is_postgresql
from shared.database.sql import clock
from shared.voters.models import Roll

ROLL_LOCK_KEY = 0x526F6C6C  # "Roll"
ONLY_ROW = 1


def lock_roll() -> None:
    """Lock the roll for changes by this transaction, until it ends.

    What the transaction reads of the roll stays true until then. SQLite needs no more than its
    transaction, which begins with BEGIN IMMEDIATE.
    """
    if is_postgresql():
        database.execute_sql("SELECT pg_advisory_xact_lock(%s)", (ROLL_LOCK_KEY,))


def roll_version() -> int:
    """Return how often the roll has changed, or 0 before the first import."""
    roll = Roll.get_or_none(Roll.id == ONLY_ROW)
    return 0 if roll is None else int(roll.version)


def note_roll_changed() -> int:
    """Count a change, in the transaction of `lock_roll`. Return the new version."""
    Roll.insert(id=ONLY_ROW, version=1, changed_at=clock()).on_conflict(
        conflict_target=[Roll.id],
        update={Roll.version: Roll.version + 1, Roll.changed_at: clock()},
    ).execute()
    return roll_version()
