"""The metrics for Prometheus, which are the same from every web process."""

import os
import signal
import socket
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app
from config.settings import Settings
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.connection import database
from shared.database.sql import clock
from shared.workers import ALIVE_SECONDS, Worker, beat, this_worker
from tests.conftest import opened
from tests.support.api_client import HEADER, ApiClient
from tests.support.application import client_of
from tests.support.job_runs import finished
from tests.support.running import WAIT_SECONDS, children, wait_for
from tests.support.web_process import WebProcess, web_process

Samples = dict[tuple[str, ...], float]


def samples_of(text: str) -> Samples:
    """The value of each metric, by name and label values."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def scrape(scraper: ApiClient) -> Samples:
    answer = scraper.get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain")
    return samples_of(answer.get_data(as_text=True))


def test_metrics_show_jobs_workers_and_queue(app: Flask, client: ApiClient) -> None:
    finished(app, client, HEADER + b"1,Ann,Lee,ann@x.edu,Law,3,yes\n2,,,nothing,,,\n")
    client.upload(HEADER + b"3,Ann,Lee,ann@x.edu,Law,3,yes\n")
    beat(this_worker("1"))
    beat(this_worker("1"))
    oldest = Worker.select(Worker.id).order_by(Worker.started_at).limit(1)
    Worker.update(beat_at=clock(-ALIVE_SECONDS - 1)).where(Worker.id.in_(oldest)).execute()
    database.close()
    told = scrape(client_of(app, Scope.METRICS))
    assert told["voters_jobs_finished_total", "SUCCESS"] == 1
    assert told["voters_jobs_open", "PENDING"] == 1
    assert told["voters_rows_read_total",] == 2
    assert told["voters_attempt_duration_seconds_count",] == 1
    assert told["voters_attempt_duration_seconds_bucket", "+Inf"] == 1
    assert told["voters_report_mails", "pending"] == 1
    assert told["voters_roll_changes_total",] == 1
    assert told["voters_workers", "alive"] == told["voters_workers", "gone"] == 1
    assert told["voters_oldest_waiting_job_seconds",] > 0
    assert told["voters_broker_up",] == 1
    assert told["voters_queue_messages", "voter-imports"] == 2


def test_labels_are_of_a_closed_set_whatever_is_asked_for(app: Flask, client: ApiClient) -> None:
    client.get("/api/voters/SECRET-ID/")
    client.get("/SECRET-PATH")
    client.send("GEHEIM", "/api/voters/")
    scraper = client_of(app, Scope.METRICS)
    before = scrape(scraper)
    client.get("/api/voters/OTHER-ID/")
    after = scrape(scraper)
    assert not [key for key in after if "SECRET" in str(key) or "GEHEIM" in str(key)]
    counted = ("voters_http_requests_total", "Voter.voter", "GET", "404")
    assert after[counted] == before[counted] + 1
    assert ("voters_http_requests_total", "none", "GET", "404") in after
    assert ("voters_http_requests_total", "none", "other", "405") in after


def test_an_unavailable_broker_is_reported_without_a_traceback(
    app: Flask, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    deaf = create_app(replace(settings, broker_url="amqp://guest:guest@127.0.0.1:1//"))
    assert scrape(client_of(deaf, Scope.METRICS))["voters_broker_up",] == 0
    assert "broker unavailable" in caplog.messages
    assert not [record for record in caplog.records if record.exc_info]


def test_a_broker_that_says_nothing_holds_up_no_scrape(app: Flask, settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        deaf = create_app(replace(settings, broker_url=f"amqp://guest:guest@127.0.0.1:{port}//"))
        scraper = client_of(deaf, Scope.METRICS)
        started = time.monotonic()
        told = scrape(scraper)
        assert time.monotonic() - started < 8
    assert told["voters_broker_up",] == 0
    assert "voters_jobs_open" in {key[0] for key in told}


def fetch(web: WebProcess, path: str, token: str) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{web.port}{path}", headers={"Authorization": f"Bearer {token}"}
    )
    with urllib.request.urlopen(request, timeout=WAIT_SECONDS) as answer:
        return str(answer.read().decode())


def replace_worker(arbiter: int, ending: signal.Signals) -> None:
    """End the newest web process, and wait for its replacement."""
    before = set(children(arbiter))
    os.kill(max(before), ending)
    wait_for(lambda: set(children(arbiter)) - before, "no process comes in its place")


def test_requests_are_counted_across_processes_and_restarts(tmp_path: Path) -> None:
    counted = ("voters_http_requests_total", "Health.live", "GET", "200")
    with web_process(tmp_path, processes=2) as web:
        with opened(f"sqlite:///{tmp_path / 'voters.db'}"):
            scraper = create_token("prometheus", [Scope.METRICS])
        for turn, ending in enumerate((signal.SIGKILL, signal.SIGTERM, None), start=1):
            for _ in range(10):
                fetch(web, "/health/live", "")
            # Repeated, because a different process may answer each request.
            for _ in range(4):
                assert samples_of(fetch(web, "/metrics", scraper))[counted] == 10 * turn
            if ending is not None:
                replace_worker(web.process.pid, ending)
