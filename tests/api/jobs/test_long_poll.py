"""A waiting long poll does not hold a database connection."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID

import pytest
from flask import Flask

from config.settings import Settings
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.connection import database, open_database
from tests.conftest import close
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import app_of


@pytest.fixture
def crowded_app(settings: Settings, any_database_url: str) -> Iterator[Flask]:
    """The application with a pool of one connection, if the database has a pool."""
    app = app_of(replace(settings, database_url=any_database_url))
    opened = open_database(any_database_url, pool_size=1)
    yield app
    close(opened)


def test_a_wait_leaves_the_only_connection_to_others(crowded_app: Flask) -> None:
    token = create_token("tests", [Scope.READ, Scope.IMPORT])
    database.close()
    task_id = UUID(ApiClient(crowded_app, token).upload(ROLL).get_json()["task_id"])

    def wait() -> int:
        answer = ApiClient(crowded_app, token).get(f"/api/task-status/{task_id}/?wait=30")
        return answer.status_code

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        time.sleep(0.5)
        reader = ApiClient(crowded_app, token)
        answers = [reader.get("/api/voters/").status_code for _ in range(20)]
        assert not waiting.done()
        reader.send("POST", f"/api/jobs/{task_id}/cancel/")
        assert waiting.result() == 200
    assert answers == [200] * 20
