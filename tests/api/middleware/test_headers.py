"""Every answer has the security headers, and Swagger UI works with them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from api.middleware.security_headers import DATA_POLICY, HEADERS, PAGE_POLICY
from shared.access.scopes import Scope
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of
from tests.support.web_process import web_process

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMIUM_SECONDS = 120


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/voters/", 200),
        ("/api/voters/none/", 404),
        ("/api/voters/?year=x", 422),
        ("/nothing", 404),
        ("/api/upload/", 405),
        ("/api/openapi.json", 200),
        ("/health/live", 200),
    ],
)
def test_an_answer_that_is_no_page_can_do_nothing_in_a_browser(
    client: ApiClient, path: str, status: int
) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.headers["Content-Security-Policy"] == DATA_POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/voters/"), ("POST", "/api/upload/")])
def test_a_refusal_is_as_careful_as_an_answer(app: Flask, method: str, path: str) -> None:
    answer = ApiClient(app, "svs_unknown").send(method, path)
    assert answer.status_code == 401
    assert answer.headers["Content-Security-Policy"] == DATA_POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS


def test_nothing_personal_may_be_kept_by_a_cache(app: Flask) -> None:
    client = client_of(app, Scope.ADMIN)
    accepted = client.upload(ROLL)
    assert accepted.headers["Cache-Control"] == "no-store"
    task = accepted.get_json()
    original = f"/api/jobs/{task['task_id']}/file"
    answers = [client.get(task["status_url"]), client.get(original), client.get("/api/voters/1/")]
    answers.append(client.get("/api/voters/export.csv"))
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store", answer.request.path
        answer.close()
    assert answers[1].status_code == 200


def test_a_page_runs_no_script_and_no_style_of_its_own(app: Flask) -> None:
    answer = ApiClient(app, "").get("/api/docs/")
    assert answer.headers["Content-Security-Policy"] == PAGE_POLICY
    assert "unsafe" not in PAGE_POLICY
    page = answer.get_data(as_text=True)
    assert re.findall(r"<script(?![^>]* src=)|<style|\sstyle=|\son\w+=|javascript:", page) == []


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize(
    ("fragment", "shown"),
    [("", 'data-path="/api/upload/"'), ("#/Upload/upload", 'type="file"')],
)
def test_swagger_ui_works_in_a_browser_and_offends_no_policy(
    tmp_path: Path, fragment: str, shown: str
) -> None:
    with web_process(tmp_path) as web:
        visit = subprocess.run(
            [
                str(CHROMIUM),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                f"--user-data-dir={tmp_path / 'browser'}",
                "--enable-logging=stderr",
                "--virtual-time-budget=10000",
                "--dump-dom",
                f"http://127.0.0.1:{web.port}/api/docs/{fragment}",
            ],
            capture_output=True,
            text=True,
            timeout=CHROMIUM_SECONDS,
            check=True,
        )
    assert shown in visit.stdout
    console = [line for line in visit.stderr.splitlines() if "CONSOLE" in line]
    assert [line for line in console if "olicy" in line or "rror" in line] == []
