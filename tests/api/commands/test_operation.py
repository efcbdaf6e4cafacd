"""The `flask` commands for operators: status, purge, erase-roll."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import Result
from flask import Flask

from api.app import create_app
from api.monitoring.status import MAX_OPEN_JOBS
from api.services import services
from config.settings import Settings
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import jobs, transitions
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, JobFault
from shared.storage.database_store import StoredChunk
from shared.voters.models import Voter, VoterHistory
from shared.workers import ALIVE_SECONDS, Worker, beat, this_worker
from tests.conftest import close
from tests.support.api_client import HEADER, ROLL, ApiClient
from tests.support.application import client_of
from tests.support.job_runs import finished, run_due_jobs

FILE = StoredFile("key", "roll.csv", 10, "sha", "csv")
BAD_ROW = b"2,Zelda,Quill,nothing,Law,3,yes\n"


def run(app: Flask, *words: str) -> Result:
    try:
        return app.test_cli_runner().invoke(args=words)
    finally:
        if not database.is_closed():
            database.close()


def test_status_shows_roll_queue_workers_and_jobs(app: Flask, client: ApiClient) -> None:
    finished(app, client, ROLL)
    waiting = client.upload(HEADER + BAD_ROW).get_json()["task_id"]
    worker = this_worker("9.9")
    beat(worker)
    claim = transitions.claim(UUID(waiting), worker=worker.name, lease_seconds=60, max_attempts=3)
    assert claim is not None
    shown = run(app, "status").stdout
    assert "1 voters, 1 of them eligible" in shown
    assert "1 STARTED, 1 SUCCESS" in shown
    assert "2 voter-imports" in shown
    [row] = [line for line in shown.splitlines() if line.startswith(worker.name)]
    assert row.split()[1:3] == ["alive", "9.9"]
    assert row.split()[-1] == waiting
    assert shown.splitlines()[-1].startswith(f"{waiting}  STARTED")

    document = json.loads(run(app, "status", "--json").stdout)
    assert document["roll"]["voters"] == 1
    assert document["workers"][0]["task_ids"] == [waiting]
    assert document["jobs"]["open"][0]["file"] == "roll.csv"
    assert document["queue_messages"]["voter-imports"] == 2


def test_the_status_of_an_idle_service_is_shown_in_words(settings: Settings) -> None:
    app = create_app(settings)
    assert run(app, "status").exit_code == 1
    run(app, "migrate")
    shown = run(app, "status").stdout
    assert "No worker is running" in shown
    assert "No import runs or waits" in shown
    assert "last never" in shown


def test_status_lists_running_jobs_first_and_counts_the_unlisted(app: Flask) -> None:
    waiting = [jobs.create(FILE, uploaded_by="tests") for _ in range(MAX_OPEN_JOBS + 3)]
    worker = this_worker("9.9")
    beat(worker)
    transitions.claim(waiting[-1], worker=worker.name, lease_seconds=60, max_attempts=3)
    Job.update(rows_read=41_200).where(Job.id == waiting[-1]).execute()
    Worker.update(beat_at=clock(-ALIVE_SECONDS - 1)).execute()
    shown = run(app, "status").stdout
    [row] = [line for line in shown.splitlines() if line.startswith(worker.name)]
    assert row.split()[1] == "gone"
    assert row.endswith(str(waiting[-1]))
    assert "No worker is running" in shown
    listed = shown.partition("JOB  ")[2].splitlines()[1:]
    assert listed[0].split()[:4] == [str(waiting[-1]), "STARTED", "reading", "41,200"]
    assert (len(listed), listed[-1]) == (MAX_OPEN_JOBS + 1, "and 3 more")


def test_purge_deletes_what_workers_would_and_first_counts_it(
    app: Flask, client: ApiClient, settings: Settings
) -> None:
    old, new = (finished(app, client, ROLL + b"\n" * blank) for blank in range(2))
    Job.update(finished_at=clock(-(settings.retain_files_days + 1) * 86_400)).where(
        Job.id == old
    ).execute()
    uploads = Path(settings.upload_store.removeprefix("file:"))
    assert run(app, "purge", "--dry-run").stdout == "Jobs whose files would be deleted: 1\n"
    assert len(list(uploads.iterdir())) == 2
    assert run(app, "purge").stdout == "Jobs whose files were deleted: 1\n"
    assert len(list(uploads.iterdir())) == 1
    assert run(app, "purge", "--older-than", "0").stdout == "Jobs whose files were deleted: 1\n"
    assert list(uploads.iterdir()) == []
    assert {old, new} == {job.id for job in Job.select().where(Job.files_purged_at.is_null(False))}
    assert run(app, "purge", "--older-than", "-1").exit_code == 2


@pytest.fixture
def used_app(any_database_url: str, settings: Settings) -> Iterator[Flask]:
    """The application on each kind of database, with its files in the database."""
    yield create_app(replace(settings, database_url=any_database_url, upload_store="database:"))
    close(database.obj)


def test_erasing_the_roll_keeps_import_counts_and_no_voter_data(used_app: Flask) -> None:
    client = client_of(used_app, Scope.READ, Scope.IMPORT)
    headless = b"Zelda Quill;quill@x.edu;Law\n" * 2
    saved = finished(used_app, client, HEADER + b"1,Zelda,Quill,quill@x.edu,Law,3,yes\n" + BAD_ROW)
    finished(used_app, client, HEADER + b"1,Zelda,Mayquill,quill@x.edu,Law,3,yes\n")
    finished(used_app, client, HEADER + b"1,Zelda,Quill,quill@x.edu,Art,3,yes\n", "dry_run=true")
    failed = finished(used_app, client, b"Zelda;Quill\n1;2\n" + headless)
    assert VoterHistory.select().exists()
    assert JobFault.select().exists()
    before = jobs.find(saved)
    assert before is not None
    database.close()

    refused = run(used_app, "erase-roll")
    assert (refused.exit_code, Voter.select().count()) == (1, 1)
    done = run(used_app, "erase-roll", "--yes")
    assert done.exit_code == 0, done.output
    assert "erased voters: 1\n" in done.stdout
    assert "erased files: 4\n" in done.stdout
    for model in (Voter, VoterHistory, JobFault, StoredChunk):
        assert not model.select().exists()
    left = str(list(Job.select().dicts()))
    assert "quill" not in left.lower()
    assert "Zelda" not in left
    after = jobs.find(saved)
    assert after is not None
    assert (after.report["rows_read"], after.report["created"]) == (2, 1)
    assert (after.sha256, after.file_name) == (before.sha256, "roll.csv")
    assert after.files_purged_at is not None
    headerless = jobs.find(failed)
    assert headerless is not None
    assert (headerless.state, headerless.error_code) == ("FAILURE", "MISSING_COLUMNS")
    database.close()
    assert client.get("/api/voters/").get_json() == []
    assert client.get(f"/api/jobs/{saved}/rejects.csv").status_code == 410


def test_a_roll_is_not_erased_while_an_import_waits_or_runs(app: Flask, client: ApiClient) -> None:
    finished(app, client, ROLL)
    client.upload(HEADER + b"2,Ann,Lee,ann@x.edu,Law,3,yes\n")
    refused = run(app, "erase-roll", "--yes")
    assert refused.exit_code == 1
    assert "nothing was erased" in refused.stderr
    run_due_jobs(app)
    assert Voter.select().count() == 2
    database.close()
    assert run(app, "erase-roll", "--yes").exit_code == 0
    assert Voter.select().count() == 0


def test_the_bytes_of_an_erased_voter_are_overwritten(
    app: Flask, client: ApiClient, settings: Settings
) -> None:
    finished(app, client, HEADER + b"1,Zelda,Quill,quill@x.edu,Law,3,yes\n")
    file = Path(settings.database_url.removeprefix("sqlite:///"))
    assert run(app, "erase-roll", "--yes").exit_code == 0
    kept = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*"))
    assert b"quill@x.edu" not in kept
    with app.app_context():
        assert list(services().store.keys(older_than_seconds=-1)) == []
