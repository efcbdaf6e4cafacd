"""Apply the migrations of the schema and list pending ones."""

from pathlib import Path

from playhouse.migrations import Runner

from shared.database.connection import database, is_postgresql

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate() -> list[str]:
    """Bring the schema up to date. Return the names of the migrations applied now.

    On PostgreSQL, an advisory lock prevents two releases from migrating at the same time.
    """
    runner = Runner(database.obj, str(MIGRATIONS))
    if not is_postgresql():
        return list(runner.up())
    lock_key = 0x566F746572  # "Voter"
    database.execute_sql("SELECT pg_advisory_lock(%s)", (lock_key,))
    try:
        return list(runner.up())
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(%s)", (lock_key,))


def pending_migrations() -> list[str]:
    """Return the names of the migrations that the code has and the database lacks."""
    return [
        migration.name
        for migration in Runner(database.obj, str(MIGRATIONS)).status()
        if not migration.applied
    ]
