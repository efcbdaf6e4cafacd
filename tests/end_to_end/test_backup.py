"""The shell blocks of docs/backup.md: a restored service is the same as the saved one."""

import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.app import create_app
from config.settings import PROJECT_ROOT, Settings
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.database.schema import migrate
from shared.jobs.models import Job
from tests.conftest import close, opened
from tests.support.api_client import HEADER, ApiClient
from tests.support.application import client_of
from tests.support.job_runs import finished
from tests.support.running import BIN
from tests.support.services import postgresql_database

PAGE = (PROJECT_ROOT / "docs" / "backup.md").read_text(encoding="utf-8")
ROLL = HEADER + b"1,Ann,Lee,ann@x.edu,Law,3,yes\n2,Bo,Ek,bo@x.edu,Art,1,no\n3,,,nothing,,,\n"


def blocks(heading: str) -> str:
    """The shell blocks of a section, joined in their order."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"^```sh\n(.*?)^```$", section, re.M | re.S)
    assert len(found) == 2
    return "".join(found)


def run(heading: str, folder: Path, **variables: str) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", blocks(heading)],
        cwd=folder,
        env={
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "DEBUG": "1",
            "FLASK_APP": "api.app",
            "PYTHONPATH": str(PROJECT_ROOT),
            **variables,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def serve(settings: Settings) -> Iterator[Flask]:
    try:
        yield create_app(settings)
    finally:
        close(database.obj)


def view_of(client: ApiClient) -> Mapping[str, Any]:
    """What the API shows of the roll and the jobs, with the bytes of each rejects file."""
    jobs = client.get("/api/jobs/").get_json()
    rejects = []
    for job in jobs:
        with client.get(f"/api/jobs/{job['task_id']}/rejects.csv") as answer:
            rejects.append(answer.data)
    return {"roll": client.get("/api/voters/").get_json(), "jobs": jobs, "rejects": rejects}


def use_service(settings: Settings) -> tuple[ApiClient, Mapping[str, Any]]:
    """A client of a service that has imported something, and what it sees."""
    with opened(settings.database_url):
        migrate()
    with serve(settings) as app:
        client = client_of(app, Scope.READ, Scope.IMPORT)
        finished(app, client, ROLL)
        before = view_of(client)
    assert len(before["roll"]) == 2
    assert b"nothing" in before["rejects"][0]
    return client, before


def assert_same(settings: Settings, client: ApiClient, before: Mapping[str, Any]) -> None:
    """Check that the restored service accepts the old token, shows the same data and imports."""
    with serve(settings) as app:
        restored = ApiClient(app, client.headers["Authorization"].removeprefix("Bearer "))
        assert view_of(restored) == before
        finished(app, restored, HEADER + b"4,Cy,Day,cy@x.edu,Law,3,yes\n")
        assert len(restored.get("/api/voters/").get_json()) == 3
        assert Job.select().count() == 2


def test_a_sqlite_database_and_a_folder_of_files_come_back(
    settings: Settings, tmp_path: Path
) -> None:
    client, before = use_service(settings)
    run(
        "SQLite",
        tmp_path,
        VOTERS_DB=settings.database_url.removeprefix("sqlite:///"),
        NEW_VOTERS_DB=f"{tmp_path}/restored.db",
    )
    run(
        "Files in a folder",
        tmp_path,
        UPLOADS=settings.upload_store.removeprefix("file:"),
        NEW_UPLOADS=f"{tmp_path}/restored",
    )
    moved = replace(
        settings,
        database_url=f"sqlite:///{tmp_path}/restored.db",
        upload_store=f"file:{tmp_path}/restored",
    )
    assert_same(moved, client, before)


@pytest.mark.service
def test_a_postgresql_database_with_the_files_in_it_comes_back(
    settings: Settings, tmp_path: Path, fresh_postgresql_url: str
) -> None:
    deployed = replace(settings, database_url=fresh_postgresql_url, upload_store="database:")
    client, before = use_service(deployed)
    with postgresql_database() as new_url:
        run(
            "PostgreSQL",
            tmp_path,
            DATABASE_URL=fresh_postgresql_url,
            NEW_DATABASE_URL=new_url,
        )
        assert_same(replace(deployed, database_url=new_url), client, before)
