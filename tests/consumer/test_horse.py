"""The work horse as the worker starts it."""

import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

from services import free_port

from consumer.process_limits import OUT_OF_REACH

ROOT = Path(__file__).parents[2]


def test_a_horse_whose_database_is_out_of_reach_ends_without_a_traceback(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DEBUG": "1",
        "DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none",
        "UPLOAD_STORE": f"file:{tmp_path}",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "consumer.horse", str(uuid4()), "1"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as horse:
        assert horse.stderr is not None
        log = horse.stderr.read()
    assert horse.returncode == OUT_OF_REACH
    assert "outcome not written" in log
    assert "Traceback" not in log
