"""This release continues with the database of an earlier release and the data in it."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.support.running import RELEASED, Service, running_service

pytestmark = pytest.mark.service

DUMP = Path(__file__).with_name("release_0006.sql")
TOKEN = "svs_KXWRGTOiSWVQbpzjrytse5QLHf1fmmrEl4CfdgwJox0"
DONE = "527a7d3a-ce9d-4be1-8d4f-76222748be67"
PREVIEW = "76fccac0-4e76-4159-849c-2ab2aa6f6af6"
WAITING = "bea24171-7b6b-4dba-a8ad-055815691242"
# In days, because the files of the dump become older than any retention time.
FOR_EVER = "1000000"


@pytest.fixture
def service(tmp_path: Path, fresh_postgresql_url: str) -> Iterator[Service]:
    with psycopg.connect(fresh_postgresql_url, autocommit=True) as connection:
        connection.execute(DUMP.read_bytes())
    with running_service(
        tmp_path,
        RELEASED,
        DATABASE_URL=fresh_postgresql_url,
        UPLOAD_STORE="database:",
        RETAIN_FILES_DAYS=FOR_EVER,
    ) as service:
        service.token = TOKEN
        yield service


def test_data_of_an_earlier_release_stays_and_its_jobs_finish(service: Service) -> None:
    report = service.status(DONE)["report"]
    assert (report["created"], report["errors"]) == (2, {"INVALID_EMAIL": 1})
    assert [fault["line"] for fault in service.get(f"/api/jobs/{DONE}/errors/").body] == [4]
    assert b"Cleo,Mensah,not an address" in service.download(f"/api/jobs/{DONE}/rejects.csv")
    assert service.download(f"/api/jobs/{DONE}/file").startswith(b"student_id,first_name,")
    history = service.get("/api/voters/1002/history/").body
    assert "Moved up a year." in [change["reason"] for change in history]

    assert service.finished(WAITING)["report"]["created"] == 1
    assert service.voters().keys() == {"1001", "1002", "1004"}
    # The waiting job has changed the roll since the preview.
    applied = service.post(f"/api/jobs/{PREVIEW}/apply/")
    assert applied.body["errors"] == {"code": "ROLL_CHANGED"}
    assert service.get("/health/ready").body["database"] == "ok"
