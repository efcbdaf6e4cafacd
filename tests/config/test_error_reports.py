"""The error reports that a real process sends to Sentry."""

import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from config.settings import PROJECT_ROOT
from tests.support.receiver import Receiver
from tests.support.running import wait_for
from tests.support.web_process import web_process

SCRIPT = """
import logging, sys
from config.error_reports import report_errors
from config.log_context import begin
report_errors(sys.argv[1])
begin(request_id="request-1", job_id="job-1")
logger = logging.getLogger("shared.importing.attempt")
email = "ann@x.edu"
logger.warning("a warning is none")
try:
    raise ValueError(f"Key (email)=({email}) already exists")
except ValueError:
    logger.exception("attempt met an internal error", extra={"error_id": "abc"})
"""


def event_in(body: bytes) -> dict[str, Any]:
    """The event in an envelope, which is its third line."""
    return dict(json.loads(gzip.decompress(body).splitlines()[2]))


def run(dsn: str) -> None:
    subprocess.run(
        [sys.executable, "-c", SCRIPT, dsn],
        cwd=PROJECT_ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        timeout=30,
        check=True,
    )


def test_an_error_report_has_its_place_and_ids_but_not_its_text() -> None:
    with Receiver().open() as sentry:
        run(f"http://key@127.0.0.1:{sentry.port}/1")
        [(path, _, body)] = sentry.calls
    assert path == "/api/1/envelope/"
    event = event_in(body)
    [error] = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "")
    assert error["stacktrace"]["frames"][-1]["lineno"] == 11
    assert event["logentry"]["message"] == "attempt met an internal error"
    assert event["extra"]["error_id"] == "abc"
    assert event["tags"]["job_id"] == "job-1"
    assert event["tags"]["request_id"] == "request-1"
    assert "ann@x.edu" not in json.dumps(event)


def test_a_sentry_that_is_away_keeps_no_process_from_ending() -> None:
    run("http://key@127.0.0.1:1/1")


def test_a_killed_web_process_is_reported(tmp_path: Path) -> None:
    with Receiver().open() as sentry:
        dsn = f"http://key@127.0.0.1:{sentry.port}/1"
        with web_process(tmp_path, SENTRY_DSN=dsn) as web:
            [worker] = web.workers
            os.kill(worker, signal.SIGKILL)
            [(_, _, body)] = wait_for(lambda: sentry.calls, "nothing was told")
    assert "SIGKILL" in event_in(body)["logentry"]["formatted"]
