"""A bucket server that asks to slow down, or has no room left."""

from dataclasses import replace
from uuid import uuid4

import pytest

from api.app import create_app
from config.settings import Settings
from shared.access.scopes import Scope
from shared.database.schema import migrate
from shared.jobs.models import Job
from shared.storage.errors import StoreUnavailable
from shared.storage.object_store import ObjectStore
from tests.conftest import opened
from tests.support.api_client import ROLL
from tests.support.application import client_of
from tests.support.faulty_server import faulty_server
from tests.support.object_server import ObjectServer, environment


def test_a_server_that_asks_to_slow_down_is_asked_again(
    buckets: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket, key = buckets.new_bucket(), uuid4().hex
    with faulty_server(buckets.url, 503, "SlowDown", faults=2) as server:
        for name, value in environment(server.url).items():
            monkeypatch.setenv(name, value)
        store = ObjectStore(f"s3://{bucket}", request_seconds=20)
        with store.writer(key) as sink:
            sink.write(b"a roll")
        assert server.given == 2
        with store.open(key) as file:
            assert file.read() == b"a roll"


@pytest.mark.parametrize(
    ("status", "code", "answered"),
    [(503, "SlowDown", 503), (503, "ServiceUnavailable", 503), (507, "XMinioStorageFull", 507)],
)
def test_an_upload_is_refused_whole_while_the_bucket_takes_none(
    buckets: ObjectServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    code: str,
    answered: int,
) -> None:
    bucket = buckets.new_bucket()
    with opened(settings.database_url):
        migrate()
    with faulty_server(buckets.url, status, code) as server:
        for name, value in environment(server.url).items():
            monkeypatch.setenv(name, value)
        app = create_app(replace(settings, upload_store=f"s3://{bucket}"))
        client = client_of(app, Scope.READ, Scope.IMPORT)
        answer = client.upload(ROLL)
        assert answer.status_code == answered
        assert Job.select().count() == 0
        server.left = 0
        assert client.upload(ROLL).status_code == 202


def test_an_import_treats_a_busy_bucket_as_unavailable(
    buckets: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = buckets.new_bucket()
    with faulty_server(buckets.url, 503, "SlowDown") as server:
        for name, value in environment(server.url).items():
            monkeypatch.setenv(name, value)
        store = ObjectStore(f"s3://{bucket}", request_seconds=2)
        with pytest.raises(StoreUnavailable, match="503"):
            store.open(uuid4().hex)
