"""What goes to Sentry, as a process of its own sends it."""

import gzip
import json
import os
import subprocess
import sys
from typing import Any

from receiver import Receiver

from config.settings import PROJECT_ROOT

SCRIPT = """
import logging, sys
from config.error_reports import report_errors
from config.log_context import begin
report_errors(sys.argv[1])
begin(request_id="request-1", job_id="job-1")
logger = logging.getLogger("shared.importing")
email = "ann@x.edu"
logger.warning("a warning is none")
try:
    raise ValueError(f"Key (email)=({email}) already exists")
except ValueError:
    logger.exception("attempt met a defect", extra={"error_id": "abc"})
"""


def reported(body: bytes) -> dict[str, Any]:
    """The event of an envelope: its third line."""
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


def test_an_error_is_told_with_its_place_and_ids_and_without_its_words() -> None:
    with Receiver().open() as sentry:
        run(f"http://key@127.0.0.1:{sentry.port}/1")
        [(path, _, body)] = sentry.calls
    assert path == "/api/1/envelope/"
    event = reported(body)
    [error] = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "")
    assert error["stacktrace"]["frames"][-1]["lineno"] == 11
    assert event["logentry"]["message"] == "attempt met a defect"
    assert event["extra"]["error_id"] == "abc"
    assert event["tags"]["job_id"] == "job-1"
    assert event["tags"]["request_id"] == "request-1"
    assert "ann@x.edu" not in json.dumps(event)


def test_a_sentry_that_is_away_keeps_no_process_from_ending() -> None:
    run("http://key@127.0.0.1:1/1")
