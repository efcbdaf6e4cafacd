"""The campaign of `make torture`, shortened."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "servers", ["--embedded", pytest.param("--deployed", marks=pytest.mark.service)]
)
def test_nothing_is_lost_or_doubled_while_processes_are_killed(
    servers: str, request: pytest.FixtureRequest
) -> None:
    if servers == "--deployed":
        # The campaign starts servers of its own; where these answer, they are installed.
        request.getfixturevalue("fresh_postgresql_url")
        request.getfixturevalue("fresh_rabbitmq_url")
    done = subprocess.run(
        [sys.executable, "-m", "torture", "--minutes", "0.4", servers],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
