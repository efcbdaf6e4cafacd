"""Commits that PostgreSQL makes, but whose answer never arrives."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from peewee import DatabaseError, OperationalError

from shared.broker.doorbell import Doorbell
from shared.database.connection import database, open_database
from shared.database.schema import migrate
from shared.importing.attempt import perform
from shared.importing.submission import submit
from shared.jobs import jobs, transitions
from shared.jobs.models import Job
from shared.roll_file.limits import Limits
from shared.storage.file_store import FileStore
from tests.conftest import close, opened
from tests.support.relay import Relay, relay_to

pytestmark = pytest.mark.service

ROLL = b"student_id,email\n1,ann@x.edu\n"


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "uploads")


@pytest.fixture
def relay(fresh_postgresql_url: str) -> Iterator[Relay]:
    """The relay between the models and a migrated database."""
    with opened(fresh_postgresql_url):
        migrate()
    with relay_to(fresh_postgresql_url) as way:
        used = open_database(way.url, answer_seconds=2.0)
        yield way
        way.thaw()
        close(used)


def upload(store: FileStore, folder: Path, uploaded_by: str) -> None:
    doorbell = Doorbell(f"filesystem://{folder / 'broker'}")
    try:
        submit(
            io.BytesIO(ROLL),
            "roll.csv",
            store=store,
            doorbell=doorbell,
            max_bytes=1000,
            uploaded_by=uploaded_by,
        )
    finally:
        doorbell.close()


def test_an_upload_without_a_commit_answer_is_kept_and_imported(
    relay: Relay, store: FileStore, tmp_path: Path
) -> None:
    database.execute_sql("SELECT 1")
    relay.freeze_answers_to(b"COMMIT")
    with pytest.raises(OperationalError):
        upload(store, tmp_path, "tests")
    relay.thaw()
    database.close()
    (job_id,) = transitions.due_jobs(5)
    claim = transitions.claim(job_id, worker="w", lease_seconds=30, max_attempts=1)
    assert claim is not None
    perform(claim, store=store, limits=Limits(10), max_attempts=1)
    job = jobs.find(job_id)
    assert job is not None
    assert (job.state, job.rows_read) == ("SUCCESS", 1)


@pytest.mark.usefixtures("relay")
def test_an_upload_that_certainly_is_no_job_leaves_no_file(
    store: FileStore, tmp_path: Path
) -> None:
    with pytest.raises(DatabaseError):
        upload(store, tmp_path, "a NUL: \0")
    assert Job.select().count() == 0
    assert list(store.keys(older_than_seconds=-1)) == []
