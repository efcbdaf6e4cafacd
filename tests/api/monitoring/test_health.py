"""The health checks that a platform uses."""

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from api.app import create_app
from api.monitoring.health import VERDICT_SECONDS
from config.settings import Settings
from shared.database.connection import database
from shared.workers import Worker, beat, this_worker
from tests.conftest import close
from tests.support.api_client import ApiClient
from tests.support.object_server import environment

NO_DATABASE = "postgresql://postgres@127.0.0.1:1/none"
NO_BROKER = "amqp://guest:guest@127.0.0.1:1//"


def test_a_migrated_database_makes_it_ready(app: Flask) -> None:
    answer = ApiClient(app, "").get("/health/ready")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "status": "ready",
        "database": "ok",
        "worker": "none",
        "worker_seen_at": None,
        "broker": "ok",
        "storage": "ok",
    }


@pytest.mark.parametrize(("url", "state"), [(NO_DATABASE, "unreachable"), (None, "not migrated")])
def test_without_a_usable_database_it_is_alive_and_not_ready(
    settings: Settings, url: str | None, state: str
) -> None:
    app = create_app(replace(settings, database_url=url or settings.database_url))
    answer = ApiClient(app, "").get("/health/ready")
    assert answer.status_code == 503
    assert answer.get_json()["database"] == state
    assert ApiClient(app, "").get("/health/live").get_json() == {"status": "live"}
    close(database.obj)


def test_a_dead_broker_is_reported_but_the_service_is_ready(app: Flask, settings: Settings) -> None:
    deaf = create_app(replace(settings, broker_url=NO_BROKER))
    answer = ApiClient(deaf, "").get("/health/ready")
    assert answer.status_code == 200
    assert answer.get_json()["broker"] == "unreachable"


def test_an_unavailable_upload_store_is_reported(
    app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "taken").write_text("a file, not a folder")
    for name, value in environment("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    for store in (f"file:{tmp_path}/taken", "s3://bucket/prefix"):
        service = create_app(replace(settings, upload_store=store))
        answer = ApiClient(service, "").get("/health/ready")
        assert (answer.status_code, answer.get_json()["storage"]) == (200, "unreachable")


def test_readiness_reports_workers_and_when_one_was_last_seen(app: Flask) -> None:
    beat(this_worker("1"))
    assert ask(app, "worker") == "ok"
    Worker.update(beat_at="2026-01-31 09:30:00.000").execute()
    database.close()
    time.sleep(VERDICT_SECONDS)
    assert ask(app, "worker") == "none"
    assert ask(app, "worker_seen_at") == "2026-01-31T09:30:00.000Z"


@pytest.mark.service
def test_a_working_broker_is_reported(app: Flask, settings: Settings, rabbitmq_url: str) -> None:
    service = create_app(replace(settings, broker_url=rabbitmq_url))
    assert ApiClient(service, "").get("/health/ready").get_json()["broker"] == "ok"


def test_however_many_ask_one_thread_finds_out(app: Flask, settings: Settings) -> None:
    """It takes a second to detect a broker that does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        deaf = create_app(replace(settings, broker_url=f"amqp://guest:guest@127.0.0.1:{port}//"))
        first = ApiClient(deaf, "").get("/health/ready").get_json()
        assert first["broker"] == "unreachable"
        started = time.monotonic()
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _: ask(deaf), range(100)))
        assert answers == [first] * 100
        assert time.monotonic() - started < 10


def ask(app: Flask, line: str | None = None) -> object:
    told = ApiClient(app, "").get("/health/ready").get_json()
    return told[line] if line else told
