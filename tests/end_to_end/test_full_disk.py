"""A disk of 9 MB that fills up, with only the uploads on it, and with the database as well."""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.running import Service, running_service, wait_for

MIB = 1024 * 1024
HEADER = "student_id,email,department\n"
ROWS = 12_000
PADDING = "Department of " + "Law " * 45


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk of 9 MB.

    The test is skipped if this user may not mount one. The gate can install a missing server, but
    it cannot change this.
    """
    folder = tmp_path / "disk"
    folder.mkdir()
    as_root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if not shutil.which((as_root or ["mount"])[0]):
        pytest.skip("only root may mount a disk")
    options = f"size=9m,mode=0777,uid={os.geteuid()}"
    mounted = subprocess.run(
        [*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        pytest.skip(f"no disk can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run([*as_root, "umount", "--lazy", folder], check=True)


def ids(number: int) -> list[str]:
    return [f"{number}-{row:05d}" for row in range(ROWS)]


def roll(number: int) -> bytes:
    """A file with 2.7 MB of good rows."""
    lines = (f"{key},s{key}@example.edu,{PADDING}\n" for key in ids(number))
    return (HEADER + "".join(lines)).encode()


def ask(database: Path, question: str) -> list[Any]:
    """Run a query and return the first column of its rows."""
    with closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute(question)]


def assert_roll_is(database: Path, numbers: Iterable[int]) -> None:
    expected = sorted(key for number in numbers for key in ids(number))
    assert ask(database, "SELECT student_id FROM voter ORDER BY student_id") == expected


def fill(disk: Path, leave_bytes: int) -> Path:
    """Create a file of another program that leaves `leave_bytes` free on the disk."""
    ballast = disk / "ballast"
    free_bytes = shutil.disk_usage(disk).free
    ballast.write_bytes(bytes(free_bytes - leave_bytes))
    return ballast


def test_a_full_disk_refuses_whole_uploads_until_there_is_room(disk: Path, tmp_path: Path) -> None:
    uploads, database = disk / "uploads", tmp_path / "voters.db"
    with running_service(tmp_path, UPLOAD_STORE=f"file:{uploads}") as service:
        accepted: dict[int, str] = {}
        for number in range(1, 9):
            answer = service.upload(roll(number))
            if answer.status != 202:
                break
            accepted[number] = answer.body["task_id"]
        assert answer.status == 507
        assert "no room" in answer.body["message"]
        assert len(accepted) == 3
        assert service.upload(roll(9)).status == 507
        assert len(list(uploads.iterdir())) == len(accepted)
        assert ask(database, "SELECT count(*) FROM job") == [len(accepted)]
        check_success(service, accepted.values())
        # There is still room for small files, and the refused upload has not harmed them.
        small = service.imported(f"{HEADER}small-1,small@x.edu,Law\n".encode())
        assert small["report"]["created"] == 1
        first = ask(database, "SELECT file_key FROM job ORDER BY created_at LIMIT 1")[0]
        (uploads / first).unlink()
        accepted[9] = service.upload(roll(9)).body["task_id"]
        check_success(service, [accepted[9]])
        with closing(sqlite3.connect(database)) as connection, connection:
            assert connection.execute("DELETE FROM voter WHERE student_id = 'small-1'").rowcount
        assert_roll_is(database, accepted)


def test_a_full_disk_during_an_import_delays_it_without_damage(disk: Path, tmp_path: Path) -> None:
    database = disk / "voters.db"
    settings = {
        "DATABASE_URL": f"sqlite:///{database}",
        "UPLOAD_STORE": f"file:{disk}/uploads",
        "LEASE_SECONDS": "2",
    }
    with running_service(tmp_path, **settings) as service:
        service.imported(f"{HEADER}0-00000,before@x.edu,Law\n".encode())
        content = roll(0)
        ballast = fill(disk, len(content) + MIB)
        task_id = str(service.upload(content).body["task_id"])
        status = wait_for(lambda: status_after_failure(service, task_id), "the import did not fail")
        assert status["report"] is None
        assert ask(database, "SELECT count(*) FROM voter") == [1]
        ballast.unlink()
        status = service.finished(task_id, 120)
        assert status["state"] == "SUCCESS"
        assert (status["report"]["created"], status["report"]["updated"]) == (ROWS - 1, 1)
        assert_roll_is(database, [0])
        assert ask(database, "PRAGMA integrity_check") == ["ok"]


def test_a_full_temporary_folder_is_named_as_the_reason(disk: Path, tmp_path: Path) -> None:
    settings = {"TMPDIR": str(disk), "UPLOAD_STORE": "database:", "MAX_ATTEMPTS": "1"}
    with running_service(tmp_path, **settings) as service:
        check_success(service, [service.upload(roll(0)).body["task_id"]])
        service.stop_worker()
        task_id = service.upload(roll(1)).body["task_id"]
        ballast = fill(disk, MIB)
        # Both need 2.7 MB while they run.
        for path in ("/api/voters/export.csv", "/api/voters/export.xlsx"):
            answer = service.get(path)
            assert (answer.status, answer.body["errors"]["code"]) == (507, "NO_ROOM")
        assert service.upload(roll(2)).status == 507
        service.start("worker")
        status = service.finished(task_id)
        assert (status["state"], status["error"]["code"]) == ("FAILURE", "DISK_FULL")
        ballast.write_bytes(bytes(ballast.stat().st_size + shutil.disk_usage(disk).free))
        # One row fits in memory. Without a check, it met the full disk after the answer had begun.
        assert service.get("/api/voters/export.csv?q=0-00001").status == 507
        assert service.download("/api/template.xlsx").startswith(b"PK")
        assert [file.name for file in disk.iterdir()] == ["ballast"]
        ballast.unlink()
        assert len(service.download("/api/voters/export.csv")) > 2 * MIB


def check_success(service: Service, tasks: Iterable[str]) -> None:
    for task_id in tasks:
        status = service.finished(task_id)
        assert (status["state"], status["report"]["created"]) == ("SUCCESS", ROWS)


def status_after_failure(service: Service, task_id: str) -> Any:
    """The job's status after an attempt has failed, or None."""
    answer = service.get(f"/api/task-status/{task_id}/")
    # The web process also runs on the full disk, and must at least give an honest answer.
    assert answer.status in (200, 503), answer
    has_failed = answer.status == 200 and (
        answer.body["state"] == "RETRY" or answer.body["attempts"] > 1
    )
    return answer.body if has_failed else None
