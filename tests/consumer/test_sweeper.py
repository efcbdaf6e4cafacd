"""What is swept out of the upload store, and what stays."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from consumer.sweeper import purge_expired, remove_orphans
from shared.database import clock
from shared.jobs import store as jobs
from shared.jobs.models import Job
from shared.jobs.states import JobCode
from shared.jobs.store import Claim, StoredFile
from shared.storage.choice import open_store
from shared.storage.store import FileLost, UploadStore


@pytest.fixture(params=["file", "database"])
def store(request: pytest.FixtureRequest, tmp_path: Path, any_database: object) -> UploadStore:
    setting = f"file:{tmp_path / 'uploads'}" if request.param == "file" else "database:"
    return open_store(setting)


def put(store: UploadStore, key: str) -> None:
    with store.writing(key) as sink:
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
    claim = jobs.claim(job_id, worker="w", lease_seconds=9, max_attempts=3)
    assert claim is not None
    jobs.note_progress(claim, rejects_key=rejects_key)
    fail(claim)
    return job_id


def fail(claim: Claim) -> None:
    jobs.fail(claim, JobCode.FILE_LOST, "Lost.")


def test_a_file_that_no_job_names_is_removed_when_it_is_old(store: UploadStore) -> None:
    keys = orphan, upload, rejects = [uuid4().hex for _ in range(3)]
    for key in keys:
        put(store, key)
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
        put(store, key)
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
