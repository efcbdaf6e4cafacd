"""Every costly action has a rate limit. The tests walk the URL map, so they include new actions."""

from collections.abc import Iterator
from dataclasses import fields, replace
from uuid import UUID

import pytest
from flask import Flask

from api.access.rate_limits import Quota
from api.app import create_app
from config.settings import Settings
from shared.access.rate_limits import RateCount
from shared.access.scopes import Scope
from shared.database.connection import database
from tests.support.api_client import ROLL
from tests.support.application import client_of

SAFE = {"GET", "HEAD", "OPTIONS"}
# Actions that are not counted, each with the reason.
UNCOUNTED = {
    "Job actions.cancel": "ends a job that was counted when it was made, and only once",
    "imports.cancel": "ends a job that was counted when it was made, and only once",
    "Voter.correct": "admins alone, one row at a time",
    "voters.correct": "admins alone, one row at a time",
    "account.sign_in": "MAX_SIGN_IN_FAILURES counts it by account and address",
    "account.index": "MAX_SIGN_IN_FAILURES counts it by account and address",
    "account.sign_out": "ends the person's own sessions",
    "tokens.index": "admins alone",
    "tokens.revoke": "admins alone",
    "people.index": "admins alone",
    "people.change_role": "admins alone",
    "people.lock_out": "admins alone",
    "people.let_in": "admins alone",
    "people.reset_password": "admins alone",
}
DOWNLOADS = {
    "Job files.rejects",
    "Job files.original",
    "Voter exports.export_csv",
    "Voter exports.export_xlsx",
    "imports.rejects",
    "imports.original",
    "voters.export_csv",
    "voters.export_xlsx",
}


def quotas(app: Flask) -> dict[str, Quota]:
    views = app.view_functions.items()
    return {name: view.quota for name, view in views if hasattr(view, "quota")}


def test_every_act_is_counted_or_named_with_a_reason(app: Flask) -> None:
    acting = {rule.endpoint for rule in app.url_map.iter_rules() if (rule.methods or set()) - SAFE}
    counted = {name for name, quota in quotas(app).items() if quota is not Quota.DOWNLOAD}
    assert counted | set(UNCOUNTED) == acting
    assert not counted & set(UNCOUNTED)


def test_every_download_of_data_is_counted(app: Flask) -> None:
    counted = {name for name, quota in quotas(app).items() if quota is Quota.DOWNLOAD}
    assert counted == DOWNLOADS


@pytest.fixture
def spent_app(app: Flask, settings: Settings) -> Iterator[Flask]:
    """The application with limits of one."""
    ones = {field.name: 1 for field in fields(settings.limits)}
    limits = replace(settings.limits, **{**ones, "pending_jobs": 100})
    yield create_app(replace(settings, limits=limits))
    database.close()


def test_every_counted_address_refuses_beyond_its_limit(spent_app: Flask) -> None:
    client = client_of(spent_app, Scope.ADMIN)
    adapter = spent_app.url_map.bind("localhost")
    for endpoint, quota in quotas(spent_app).items():
        if endpoint[0].islower():
            # A page: it has the same limit but needs a session.
            continue
        RateCount.delete().execute()
        database.close()
        method = "GET" if quota is Quota.DOWNLOAD else "POST"
        takes_job = "task_id" in str(list(spent_app.url_map.iter_rules(endpoint)))
        path = adapter.build(endpoint, {"task_id": UUID(int=1)} if takes_job else {}, method)
        statuses = []
        for _ in range(2):
            with client.send(method, path) as answer:
                statuses.append(answer.status_code)
        assert statuses[0] != 429, endpoint
        assert statuses[1] == 429, endpoint


def test_the_headers_of_a_download_are_not_counted(spent_app: Flask) -> None:
    client = client_of(spent_app, Scope.READ)
    path = "/api/voters/export.csv"
    answers = [client.send(method, path) for method in ("HEAD", "HEAD", "GET", "GET")]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert "Retry-After" in answers[-1].headers
    for answer in answers:
        answer.close()


def test_two_callers_are_counted_apart(spent_app: Flask) -> None:
    for scope in (Scope.IMPORT, Scope.ADMIN):
        client = client_of(spent_app, scope)
        assert [client.upload(ROLL).status_code for _ in range(2)] == [202, 429]
