"""The files for the platforms agree with the Procfile and the settings."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from obstore.exceptions import UnknownConfigurationKeyError
from obstore.store import AzureStore, GCSStore, S3Store

from config.settings import PROJECT_ROOT, load_settings
from tests.docs.test_docs import READ_VARIABLES
from tests.support.running import BIN, procfile

ROOT = PROJECT_ROOT
PAGES = sorted((ROOT / "docs" / "deploy").glob("*.md"))
APP_JSON: dict[str, Any] = json.loads((ROOT / "app.json").read_text(encoding="utf-8"))
RENDER: dict[str, Any] = yaml.safe_load((ROOT / "render.yaml").read_text(encoding="utf-8"))
RUNNING = {service["type"]: service for service in RENDER["services"]}
GROUP: list[dict[str, str]] = RENDER["envVarGroups"][0]["envVars"]
BROKER: list[dict[str, str]] = RUNNING["pserv"]["envVars"]

SETTINGS = READ_VARIABLES | {"SECRET_KEY", "ALLOWED_HOSTS", "ADMIN_EMAIL"}
# Variables that Gunicorn, the shell of the Procfile, Python and OpenSSL read.
FOREIGN = {"PORT", "WEB_CONCURRENCY", "SSL_CERT_FILE"}
BUCKETS = {"AWS": S3Store, "GOOGLE": GCSStore, "AZURE": AzureStore}


def test_heroku_starts_the_processes_of_the_procfile() -> None:
    assert set(APP_JSON["formation"]) | {"release"} == set(procfile())


def test_render_runs_the_commands_of_the_procfile() -> None:
    start = "sh deploy/render.sh "
    assert {
        "release": RUNNING["web"]["preDeployCommand"],
        "web": RUNNING["web"]["startCommand"].removeprefix(start),
        "worker": RUNNING["worker"]["startCommand"].removeprefix(start),
    } == procfile()
    assert all(RUNNING[kind]["startCommand"].startswith(start) for kind in ("web", "worker"))


def test_heroku_gets_no_unknown_setting() -> None:
    assert set(APP_JSON["env"]) <= SETTINGS


def test_web_and_worker_of_render_share_settings_that_exist() -> None:
    keys = {entry["key"] for entry in RUNNING["web"]["envVars"] if "key" in entry}
    assert RUNNING["web"]["envVars"] == RUNNING["worker"]["envVars"]
    assert {"fromGroup": RENDER["envVarGroups"][0]["name"]} in RUNNING["web"]["envVars"]
    assert {entry["key"] for entry in GROUP} <= SETTINGS
    assert keys - SETTINGS == {"RABBITMQ_HOST", "RABBITMQ_DEFAULT_USER", "RABBITMQ_DEFAULT_PASS"}


def test_what_render_refers_to_is_there() -> None:
    databases = {database["name"] for database in RENDER["databases"]}
    brokers = {RUNNING["pserv"]["name"]}
    variables = {entry["key"] for entry in BROKER}
    for entry in RUNNING["web"]["envVars"]:
        if "fromDatabase" in entry:
            assert entry["fromDatabase"]["name"] in databases
        if "fromService" in entry:
            assert entry["fromService"]["name"] in brokers
            assert entry["fromService"].get("envVarKey", BROKER[0]["key"]) in variables


@pytest.mark.parametrize(
    "values",
    [
        {name: entry["value"] for name, entry in APP_JSON["env"].items() if "value" in entry},
        {entry["key"]: entry["value"] for entry in GROUP if "value" in entry},
    ],
    ids=["heroku", "render"],
)
def test_the_service_starts_with_the_values_of_a_platform(
    values: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "0f8a" * 5 + "93b7c1d2e4f5a6b7c8d9")
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings(read_dotenv=False)
    assert (settings.upload_store, settings.trusted_proxies) == ("database:", 1)


def test_the_broker_url_on_render_escapes_any_password() -> None:
    password = "a+b/c=d e"
    shown = subprocess.run(
        ["sh", "deploy/render.sh", "sh", "-c", 'echo "$BROKER_URL"'],
        cwd=ROOT,
        env={
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "RABBITMQ_DEFAULT_USER": "voters",
            "RABBITMQ_DEFAULT_PASS": password,
            "RABBITMQ_HOST": "voters-rabbitmq-1a2b",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "amqp://voters:a%2Bb%2Fc%3Dd%20e@voters-rabbitmq-1a2b:5672/\n"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_deployment_page_names_only_variables_that_are_read(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"\b([A-Z][A-Z0-9]*_[A-Z0-9_]+)\b", text))
    vendors = {name for name in named if name.partition("_")[0] in BUCKETS}
    platform = {name for name in named if name.startswith(("RABBITMQ_", "RAILWAY_", "MAILGUN_"))}
    assert named - vendors - platform <= SETTINGS | FOREIGN
    for name in vendors:
        assert is_read_by_the_library(name), name


def is_read_by_the_library(name: str) -> bool:
    try:
        BUCKETS[name.partition("_")[0]](config={name.lower(): "true"})
    except UnknownConfigurationKeyError:
        return False
    except Exception:  # noqa: BLE001 - a key that is known may have another value
        return True
    return True
