"""One request in the logs of web, worker and job process, and the worker's heartbeat."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

from config.settings import PROJECT_ROOT
from tests.support.running import SECRET_KEY, WAIT_SECONDS, wait_for
from tests.support.web_process import web_process

REQUEST_ID = "0d5c7a3e-94f1-4c1b-8f6e-2b1d9c3a7e55"
BODY = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="roll.csv"\r\n\r\n'
    b"student_id,email\n1,ann@x.edu\n\r\n--b--\r\n"
)


def lines(log: Path) -> list[dict[str, Any]]:
    """The lines of a log. Every line must be JSON, also those of Gunicorn."""
    return [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]


def ready(port: int) -> Any:
    url = f"http://127.0.0.1:{port}/health/ready"
    with urllib.request.urlopen(url, timeout=WAIT_SECONDS) as answer:
        return json.load(answer)


def test_a_request_is_traced_from_web_process_to_job_process(tmp_path: Path) -> None:
    servers = {
        "DEBUG": "0",
        "SECRET_KEY": SECRET_KEY,
        "BROKER_URL": f"filesystem://{tmp_path}/broker",
        "DATABASE_URL": f"sqlite:///{tmp_path}/voters.db",
        "UPLOAD_STORE": f"file:{tmp_path}/uploads",
    }
    with web_process(tmp_path, processes=1, **servers) as web:
        request = urllib.request.Request(
            f"http://127.0.0.1:{web.port}/api/upload/",
            data=BODY,
            headers={
                "Authorization": f"Bearer {web.token}",
                "Content-Type": "multipart/form-data; boundary=b",
                "X-Request-ID": REQUEST_ID,
            },
        )
        with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
            task_id = json.load(answer)["task_id"]
            assert answer.headers["X-Request-ID"] == REQUEST_ID
        assert ready(web.port)["worker"] == "none"
        with (tmp_path / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                [sys.executable, "-m", "consumer"],
                cwd=PROJECT_ROOT,
                env={"PATH": os.environ["PATH"], **servers},
                stderr=log,
            )
        try:
            wait_for(
                lambda: "attempt ended" in (tmp_path / "worker.log").read_text(), "no attempt ended"
            )
            wait_for(lambda: ready(web.port)["worker"] == "ok", "no worker is seen")
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(WAIT_SECONDS) == 0
        wait_for(lambda: ready(web.port)["worker"] == "none", "the worker is still seen")
    told = lines(web.log)
    assert {"gunicorn.error", "api.middleware.request_log"} <= {line["logger"] for line in told}
    [summary] = [line for line in told if line.get("route") == "/api/upload/"]
    assert summary["request_id"] == REQUEST_ID
    for event in ("attempt started", "attempt ended"):
        [line] = [line for line in lines(tmp_path / "worker.log") if line["event"] == event]
        assert (line["request_id"], line["job_id"], line["attempt"]) == (REQUEST_ID, task_id, 1)
