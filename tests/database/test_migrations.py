"""The migrations, up and down, with rows of an earlier release in the database."""

from uuid import uuid4

from peewee import Database, Table
from playhouse.migrations import Runner

from shared.access.models import ApiToken, User
from shared.access.names import TakenName
from shared.database.schema import MIGRATIONS
from shared.database.sql import clock, stream
from shared.jobs import jobs
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, OutboxEntry
from shared.voters.counts import kept_groups
from shared.voters.models import Voter

FIRST = "0001_roll_and_jobs"
FILE = StoredFile("key", "roll.csv", 10, "sha", "csv")


def test_each_migration_can_be_taken_back_and_applied_again(new_database: Database) -> None:
    runner = Runner(new_database, str(MIGRATIONS))
    names = list(runner.up())
    before = schema(new_database)

    assert list(runner.down(FIRST)) == names[::-1]
    assert list(runner.up()) == names
    assert schema(new_database) == before


def test_jobs_and_voters_of_the_first_release_stay(new_database: Database) -> None:
    runner = Runner(new_database, str(MIGRATIONS))
    runner.up(FIRST)
    job_id = uuid4()
    # As the first release does it, without the later columns.
    first = {
        "id": job_id.hex,
        "state": "PENDING",
        "dry_run": False,
        "options": "{}",
        "uploaded_by": "ann",
        "attempts": 0,
        "deaths": 0,
        "worker": "",
        "created_at": clock(),
        "not_before": clock(),
        "phase": "queued",
        "rows_read": 0,
        "file_key": "key",
        "file_name": "roll.csv",
        "size_bytes": 10,
        "sha256": "sha",
        "format": "csv",
        "report_mail": "none",
        "report_mail_attempts": 0,
    }
    Table("job", tuple(first)).bind(new_database).insert(first).execute()
    Voter.create(student_id="1", email="ann@x.edu")
    names = {"name": "ann", "digest": "x", "scopes": "read", "created_at": clock()}
    Table("api_token", tuple(names)).bind(new_database).insert(names).execute()
    person = {"username": "ann", "password_hash": "x", "created_at": clock()}
    Table("admin", tuple(person)).bind(new_database).insert(person).execute()
    runner.up()

    # Two that already have the same name keep it, and no other can take it.
    assert [row.name for row in TakenName.select()] == ["ann"]
    assert (ApiToken.get().name, User.get().username) == ("ann", "ann")
    job = jobs.find(job_id)
    assert job is not None
    assert (job.uploaded_by, job.idempotency_key, job.preview_of) == ("ann", None, None)
    assert not OutboxEntry.select().exists()
    assert Voter.get_by_id("1").email == "ann@x.edu"
    jobs.create(FILE, uploaded_by="ann")
    assert Job.select().count() == 2


def test_the_roll_of_an_earlier_release_is_counted(new_database: Database) -> None:
    runner = Runner(new_database, str(MIGRATIONS))
    runner.up("0006_people")
    Voter.create(student_id="1", email="ann@x.edu", department="Law", year=3, is_eligible=True)
    Voter.create(student_id="2", email="ben@x.edu")
    roll = {"id": 1, "version": 7, "changed_at": clock()}
    Table("roll", tuple(roll)).bind(new_database).insert(roll).execute()
    runner.up()
    assert sorted(stream(kept_groups())) == [("", None, 1, 0), ("Law", 3, 1, 1)]


def test_a_web_process_of_the_release_before_can_go_on(new_database: Database) -> None:
    """It runs for a while on the new schema, and does not know the new columns."""
    runner = Runner(new_database, str(MIGRATIONS))
    runner.up("0011_request_id")
    known = {column.name for column in new_database.get_columns("job")}
    runner.up()
    values = {
        field.column_name: field.db_value(
            field.default() if callable(field.default) else field.default
        )
        for field in Job._meta.sorted_fields
        if field.default is not None and field.column_name in known
    }
    values |= {"id": uuid4().hex, "state": "PENDING", "created_at": clock(), "not_before": clock()}
    values |= {"file_key": "k", "file_name": "x", "size_bytes": 1, "sha256": "s", "format": "csv"}
    values |= {"options": "{}", "report_mail": "none", "report_mail_attempts": 0}
    Table("job", tuple(values)).bind(new_database).insert(values).execute()
    assert Job.get().state == "PENDING"


def schema(database: Database) -> dict[str, list[str]]:
    return {
        table: sorted(
            [
                f"{column.name} {column.data_type} {column.null}"
                for column in database.get_columns(table)
            ]
            + [f"{index.columns} {index.unique}" for index in database.get_indexes(table)]
        )
        for table in database.get_tables()
    }
