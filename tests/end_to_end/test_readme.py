"""The shell blocks of the README run as they stand, but for the port."""

import json
import re
import subprocess
from pathlib import Path

from running import ROOT, Service, running_service

BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (ROOT / "README.md").read_text("utf-8"), re.M | re.S)
# Started here in another way, and held to exist by the tests of the documents.
STARTED_OTHERWISE = ("make run\n", "make test\n")


def run_block(block: str, service: Service, folder: Path) -> str:
    script = block.replace("http://localhost:8000", service.url).replace(".venv/bin/", "")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={**service.environment, "FLASK_APP": "api.app", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_shell_blocks_of_the_readme_run_one_after_the_other(tmp_path: Path) -> None:
    with running_service(tmp_path) as service:
        (tmp_path / "var").mkdir()
        (tmp_path / "var/dev-credentials.json").write_text(json.dumps({"token": service.token}))
        (tmp_path / "samples").symlink_to(ROOT / "samples")
        (tmp_path / ".venv").symlink_to(ROOT / ".venv")
        session = "".join(block for block in BLOCKS if block not in STARTED_OTHERWISE)
        shown = run_block(session, service, tmp_path)
    assert '"state": "SUCCESS"' in shown
    assert '"last_name": "Okafor"' in shown
    assert "File check completed: 298 of 300 rows would be saved" in shown
