"""Only the owner can read the files of the service, with any folder mode and umask."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.running import RELEASED, running_service

MIXED = b"student_id,email\n1,ann@x.edu\n2,nothing\n"


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that all users may read, with a umask that lets all users read new files."""
    usual = os.umask(0o022)
    try:
        tmp_path.chmod(0o755)
        for name in ("uploads", "broker"):
            (tmp_path / name).mkdir(mode=0o755)
        yield tmp_path
    finally:
        os.umask(usual)


def readable_by_others(folder: Path) -> list[str]:
    return [
        f"{path.relative_to(folder)} {path.stat().st_mode & 0o777:o}"
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_mode & 0o077
    ]


def test_no_file_of_the_service_can_be_read_by_others(open_folder: Path) -> None:
    with running_service(open_folder, RELEASED) as service:
        status = service.imported(MIXED)
        assert status["report"]["rejected"] == 1
        rejects, roll = open_folder / "mine.csv", open_folder / "roll.csv"
        roll.write_bytes(MIXED)
        roll.chmod(0o600)
        service.command("import", str(roll), "--rejects", str(rejects))
        assert rejects.is_file()
        assert (open_folder / "voters.db-wal").is_file()
        assert len(list((open_folder / "uploads").iterdir())) == 4
        assert readable_by_others(open_folder) == []
