"""What the sweeper removes from the upload store, and what it keeps."""

import time
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from config.settings import Settings
from consumer.sweeper import Sweeper, remove_orphans
from shared.access import rate_limits
from shared.access.rate_limits import Limit, RateCount
from shared.database.connection import database
from shared.database.sql import clock
from shared.deletion import purge_expired
from shared.jobs import jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, JobFault
from shared.jobs.states import JobCode
from shared.roll_file.errors import DESCRIPTIONS, FileCode, RowCode, RowError
from shared.roll_file.report import Report
from shared.storage.choice import open_store
from shared.storage.errors import FileLost
from shared.storage.store import UploadStore
from tests.support.object_server import environment
from tests.support.running import wait_for


@pytest.fixture(params=["file", "database"])
def store(request: pytest.FixtureRequest, tmp_path: Path, any_database: object) -> UploadStore:
    setting = f"file:{tmp_path / 'uploads'}" if request.param == "file" else "database:"
    return open_store(setting)


def write_file(store: UploadStore, key: str) -> None:
    with store.writer(key) as sink:
        sink.write(b"x")


def is_there(store: UploadStore, key: str) -> bool:
    try:
        store.open(key).close()
    except FileLost:
        return False
    return True


def failed_job(key: str, rejects_key: str) -> UUID:
    file = StoredFile(key, "roll.csv", 1, "0" * 64, "csv")
    job_id = jobs.create(file, uploaded_by="tests")
    claim = transitions.claim(job_id, worker="w", lease_seconds=9, max_attempts=3)
    assert claim is not None
    fail(claim, rejects_key)
    return job_id


def fail(claim: Claim, rejects_key: str | None = None) -> None:
    transitions.fail(claim, JobCode.FILE_LOST, "Lost.", rejects_key=rejects_key)


def test_a_file_that_no_job_names_is_removed_when_it_is_old(store: UploadStore) -> None:
    keys = orphan, upload, rejects = [uuid4().hex for _ in range(3)]
    for key in keys:
        write_file(store, key)
    failed_job(upload, rejects)
    assert remove_orphans(store, 3600) == 0
    assert remove_orphans(store, -1) == 1
    assert [is_there(store, key) for key in (orphan, upload, rejects)] == [False, True, True]


def test_files_of_others_in_the_upload_folder_are_left_alone(
    tmp_path: Path, any_database: object
) -> None:
    (tmp_path / "voters.db").write_bytes(b"x")
    (tmp_path / "lost+found").mkdir()
    assert remove_orphans(open_store(f"file:{tmp_path}"), -1) == 0
    assert (tmp_path / "voters.db").exists()


def test_the_files_of_a_job_that_ended_long_ago_are_purged_once(store: UploadStore) -> None:
    for key in ("upload", "rejects", "waiting"):
        write_file(store, key)
    job_id = failed_job("upload", "rejects")
    jobs.create(StoredFile("waiting", "roll.csv", 1, "0" * 64, "csv"), uploaded_by="tests")
    assert purge_expired(store, 90) == 0
    Job.update(finished_at=clock(-91 * 86_400)).where(Job.id == job_id).execute()
    assert purge_expired(store, 90) == 1
    assert purge_expired(store, 90) == 0
    assert [is_there(store, key) for key in ("upload", "rejects", "waiting")] == [
        False, False, True,
    ]  # fmt: skip
    job = jobs.find(job_id)
    assert job is not None
    assert job.files_purged_at is not None
    assert job.sha256 == "0" * 64


def test_a_file_stays_until_a_later_job_that_reuses_it_is_old(store: UploadStore) -> None:
    write_file(store, "upload")
    write_file(store, "rejects")
    failed = Job.get_by_id(failed_job("upload", "rejects"))
    again = jobs.create_again(failed, uploaded_by="tests", dry_run=False, retry_of=failed.id)
    assert again is not None
    long_ago = clock(-91 * 86_400)
    Job.update(finished_at=long_ago).where(Job.id == failed.id).execute()
    assert purge_expired(store, 90) == 1
    assert [is_there(store, key) for key in ("upload", "rejects")] == [True, False]
    assert remove_orphans(store, -1) == 0

    claim = transitions.claim(again, worker="w", lease_seconds=9, max_attempts=3)
    assert claim is not None
    fail(claim)
    Job.update(finished_at=long_ago).where(Job.id == again).execute()
    assert purge_expired(store, 90) == 1
    assert not is_there(store, "upload")
    assert jobs.create_again(failed, uploaded_by="tests", dry_run=False) is None


def test_a_worker_with_a_clock_ahead_deletes_no_new_file(
    store: UploadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = uuid4().hex
    write_file(store, key)
    right_time = time.time
    monkeypatch.setattr(time, "time", lambda: right_time() + 86_400)
    assert remove_orphans(store, 3600) == 0
    assert is_there(store, key)


def test_what_rows_held_goes_with_the_files(store: UploadStore) -> None:
    write_file(store, "upload")
    fault = RowError(2, "email", RowCode.INVALID_EMAIL, "ann(at)x.edu", "Mend it.")
    job_id = jobs.create(
        StoredFile("upload", "roll.csv", 1, "0" * 64, "csv"),
        uploaded_by="tests",
        dry_run=True,
        idempotency_key="key",
    )
    claim = transitions.claim(job_id, worker="w", lease_seconds=9, max_attempts=3)
    assert claim is not None
    report = Report(rows_read=1, rejected=1, would_create=0, differences=[{"student_id": "7"}])
    with database.atomic():
        transitions.finish(claim, report.to_dict(), [fault])
    Job.update(finished_at=clock(-91 * 86_400)).execute()
    assert purge_expired(store, 90) == 1

    job = Job.get_by_id(job_id)
    assert job.report == {
        name: found for name, found in report.to_dict().items() if name != "differences"
    }
    assert job.idempotency_key is None
    [kept] = JobFault.select()
    assert (kept.code, kept.line, kept.value) == ("INVALID_EMAIL", 2, "")


def test_purging_forgets_what_the_message_of_a_fault_quoted(store: UploadStore) -> None:
    job_id = jobs.create(
        StoredFile(uuid4().hex, "roll.csv", 1, "0" * 64, "csv"), uploaded_by="tests"
    )
    claim = transitions.claim(job_id, worker="w", lease_seconds=9, max_attempts=3)
    assert claim is not None
    transitions.fail(claim, FileCode.MISSING_COLUMNS, 'The headers found are: "Wilhelmina".')
    purge_expired(store, 0.0)
    job = Job.get_by_id(job_id)
    assert job.error_code == FileCode.MISSING_COLUMNS
    assert job.error_message == DESCRIPTIONS[FileCode.MISSING_COLUMNS]


def test_ended_rate_windows_are_deleted_even_if_the_store_fails(
    settings: Settings, any_database: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    rate_limits.add(Limit("tests", 1, 60.0), {"old": 1})
    RateCount.update(ends_at=clock(-1)).execute()
    rate_limits.add(Limit("tests", 1, 60.0), {"new": 1})
    sweeper = Sweeper(replace(settings, upload_store="s3://nobody"))
    sweeper.start()
    wait_for(lambda: RateCount.select().count() == 1, "the old count stays")
    sweeper.stop()
    # Its store may fail slowly, and the next test uses another database.
    sweeper.join(30)
    assert RateCount.select().count() == 1
