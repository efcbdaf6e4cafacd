"""Imports of each format from the command line, in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.settings import PROJECT_ROOT

ROOT = PROJECT_ROOT
WORKBOOKS = ROOT / "tests/roll_file/samples"
FILES = [
    ROOT / "samples/roll.csv",
    ROOT / "samples/roll.xlsx",
    *sorted(WORKBOOKS.glob("libreoffice.*")),
]


def run_flask(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run a `flask` command on the database in `folder`."""
    settings = {
        "DEBUG": "1",
        "DATABASE_URL": f"sqlite:///{folder}/voters.db",
        "UPLOAD_STORE": f"file:{folder}/uploads",
        "FLASK_APP": "api.app",
    }
    return subprocess.run(
        [sys.executable, "-m", "flask", *words],
        cwd=ROOT,
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_file_of_each_format_is_imported(path: Path, tmp_path: Path) -> None:
    migrated = run_flask(tmp_path, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    imported = run_flask(
        tmp_path, "import", str(path), "--json", "--rejects", str(tmp_path / "rejects.csv")
    )
    assert imported.returncode == 0, imported.stderr
    job = json.loads(imported.stdout)
    assert job["file"]["format"] == path.suffix[1:]
    assert job["report"]["created"] > 0
