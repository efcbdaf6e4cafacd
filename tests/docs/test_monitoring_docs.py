"""The alerts, the dashboard and their page name only metrics that exist, and the page all."""

import json
import re

import pytest
import yaml
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from config.settings import PROJECT_ROOT
from shared.access.scopes import Scope
from tests.support.api_client import ApiClient
from tests.support.application import client_of

DOCS = PROJECT_ROOT / "docs"
ALERTS = (DOCS / "monitoring" / "alerts.yml").read_text(encoding="utf-8")
DASHBOARD = (DOCS / "monitoring" / "grafana.json").read_text(encoding="utf-8")
OPERATE = (DOCS / "operate.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"^(?:\| `)?flask ([^|`\n]+)", OPERATE, re.M)))
SELECTED = re.compile(r'(voters_\w+)\{(\w+)="([^"]+)"\}')


@pytest.fixture
def metrics_text(app: Flask, client: ApiClient) -> str:
    """The text of `/metrics` after a request."""
    client.get("/api/voters/")
    return client_of(app, Scope.METRICS).get("/metrics").get_data(as_text=True)


@pytest.fixture
def figures(metrics_text: str) -> set[str]:
    families = text_string_to_metric_families(metrics_text)
    names = {sample.name for family in families for sample in family.samples}
    # Missing if several processes count together, as with Gunicorn.
    return {name for name in names if not name.endswith("_created")}


def alerts() -> list[dict[str, object]]:
    return [rule for group in yaml.safe_load(ALERTS)["groups"] for rule in group["rules"]]


def dashboard_queries() -> list[str]:
    panels = json.loads(DASHBOARD)["panels"]
    return [target["expr"] for panel in panels for target in panel["targets"]]


def test_each_alert_states_its_condition_urgency_and_action() -> None:
    for alert in alerts():
        assert set(alert) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert set(alert["annotations"]) == {"summary", "description"}  # type: ignore[call-overload]


def test_every_metric_that_is_watched_is_exposed(metrics_text: str, figures: set[str]) -> None:
    queries = [*(str(alert["expr"]) for alert in alerts()), *dashboard_queries()]
    watched = {name for query in queries for name in re.findall(r"\bvoters_\w+", query)}
    assert watched <= figures
    selected = {found for query in queries for found in SELECTED.findall(query)}
    assert ("voters_workers", "state", "alive") in selected
    assert [
        found for found in selected if '{}{{{}="{}"}} '.format(*found) not in metrics_text
    ] == []


def test_the_page_explains_every_metric_and_no_other(figures: set[str]) -> None:
    table = OPERATE[OPERATE.index("| metric |") : OPERATE.index("No label holds")]
    explained = set(re.findall(r"^\| (`voters_.*?) \|", table, re.M))
    named = {name for names in explained for name in re.findall(r"`(voters_\w+)", names)}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in figures}
    assert named == families


@pytest.mark.parametrize("words", COMMANDS)
def test_every_command_of_the_page_works(app: Flask, words: str) -> None:
    result = app.test_cli_runner().invoke(args=words.split())
    assert result.exit_code == 0, result.output
