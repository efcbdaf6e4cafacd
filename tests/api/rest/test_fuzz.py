"""The API answers every request as its OpenAPI document says, and never with an internal error.

Schemathesis makes valid and invalid requests from the document. It sends them to Gunicorn and
checks each answer against the document. Hypothesis makes the requests that no document describes:
any method, header and body.
"""

import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.rest.contract import resolve
from api.rest.schemas import TASK_ID
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.connection import database
from shared.importing.submission import keep
from shared.jobs import jobs, transitions
from shared.jobs.models import Job
from shared.roll_file.errors import RowCode, RowError
from shared.roll_file.report import Report
from shared.storage.choice import open_store
from shared.storage.store import UploadStore
from shared.voters.models import Voter
from tests.conftest import opened
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of
from tests.support.web_process import WebProcess, web_process

IS_LONG = "FUZZ_EXAMPLES" in os.environ
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "3"))
# The gate always uses this seed. `make fuzz` uses others.
SEED = "20270131"
RAW_EXAMPLES = 100 * EXAMPLES
MANY = "1000000"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
HEADERS = (
    "Accept",
    "Accept-Encoding",
    "Authorization",
    "Content-Encoding",
    "Content-Type",
    "Cookie",
    "Expect",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "Range",
    "X-Forwarded-For",
    "X-HTTP-Method-Override",
)
CONTENT_TYPES = (
    "application/json",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "application/x-www-form-urlencoded",
    "text/csv; charset=klingon",
)
UNHURRIED = settings(
    deadline=None, database=None, suppress_health_check=list(HealthCheck), print_blob=True
)
header_text = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))


@pytest.fixture
def admin(app: Flask) -> ApiClient:
    """A client with the scope `admin`, on a roll with one voter."""
    client = client_of(app, Scope.ADMIN)
    Voter.create(student_id="0012345", email="ann@x.edu", year=2)
    return client


@pytest.fixture
def task_id(admin: ApiClient) -> str:
    accepted = admin.upload(ROLL).get_json()["task_id"]
    finish(UUID(accepted))
    database.close()
    return str(accepted)


def finish(job_id: UUID) -> None:
    """Finish a job as a worker does for a file with one bad row."""
    claim = transitions.claim(job_id, worker="w", lease_seconds=60, max_attempts=1)
    assert claim is not None
    fault = RowError(17, "E-mail", RowCode.INVALID_EMAIL, "ann(at)x.edu", "Give one address.")
    with database.atomic():
        transitions.finish(claim, Report(rows_read=1, rejected=1).to_dict(), [fault])


@pytest.fixture
def web(tmp_path: Path) -> Iterator[WebProcess]:
    """Gunicorn without effective rate limits."""
    with web_process(
        tmp_path,
        MAX_AUTH_FAILURES=MANY,
        MAX_UPLOADS_PER_MINUTE=MANY,
        MAX_PENDING_JOBS=MANY,
        MAX_DOWNLOADS_PER_MINUTE=MANY,
        MAX_REPORTS_PER_HOUR=MANY,
    ) as started:
        yield started


def test_the_running_service_keeps_to_its_document(tmp_path: Path, web: WebProcess) -> None:
    """Run all checks of Schemathesis. Its configuration file lists the exceptions."""
    with opened(f"sqlite:///{tmp_path}/voters.db"):
        token = create_token("fuzz", [Scope.ADMIN])
        make_examples(open_store(f"file:{tmp_path}/uploads"))
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIGURATION, "run"),
            *(f"http://127.0.0.1:{web.port}/api/openapi.json", "--no-color"),
            *("--header", f"Authorization: Bearer {token}"),
            *("--max-examples", str(EXAMPLES), *(() if IS_LONG else ("--seed", SEED))),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    # Schemathesis also succeeds if it finds no operations.
    assert re.search(r"Selected: (\d\d+)/\1\n +Tested: \1\n", ran.stdout), ran.stdout


def make_examples(store: UploadStore) -> None:
    """Create the voter and the job of the document's examples. The job is finished with a fault."""
    Voter.create(student_id="0012345", email="ann@x.edu", year=2)
    file = keep(io.BytesIO(ROLL), "roll.csv", store=store, max_bytes=len(ROLL))
    made = jobs.create(file, uploaded_by="fuzz")
    Job.update(id=UUID(TASK_ID)).where(Job.id == made).execute()
    finish(UUID(TASK_ID))


def test_no_request_causes_an_internal_or_malformed_error(
    app: Flask, admin: ApiClient, task_id: str
) -> None:
    document = ApiClient(app, "").get("/api/openapi.json").get_json()
    shape = set(resolve(document, {"$ref": "#/components/schemas/Error"})["properties"])
    paths = [
        path.replace("{task_id}", task_id).replace("{student_id}", "0012345")
        for path in document["paths"]
    ]

    @settings(UNHURRIED, max_examples=RAW_EXAMPLES)
    @given(
        method=st.sampled_from(METHODS),
        path=st.sampled_from(paths) | st.text(max_size=30).map(lambda text: f"/api/{quote(text)}"),
        query=st.dictionaries(
            st.sampled_from(["page", "page_size", "q", "sort", "year", "wait", "dry_run", "x"])
            | st.text(max_size=5),
            st.text(max_size=10) | st.integers().map(str),
            max_size=3,
        ),
        headers=st.dictionaries(
            st.sampled_from(HEADERS), header_text | st.sampled_from(CONTENT_TYPES), max_size=4
        ),
        body=st.binary(max_size=200) | st.just(b'{"a": NaN}') | st.just(b"--x\r\n\r\n--x--"),
    )
    def answers(
        method: str, path: str, query: dict[str, str], headers: dict[str, str], body: bytes
    ) -> None:
        with admin.send(method, path, query_string=query, headers=headers, data=body) as answer:
            assert answer.status_code < 500
            if answer.status_code >= 400 and method != "HEAD":
                shown = answer.get_json()
                assert set(shown) == shape
                assert shown["code"] == answer.status_code
                assert re.fullmatch("[A-Z_]+", shown["errors"]["code"])

    answers()
