"""`flask create-token`, `list-tokens` and `revoke-token`."""

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import Result
from flask import Flask

from shared.access.models import ApiToken
from shared.access.tokens import find_token
from tests.support.api_client import ApiClient


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=list(words))


def today(plus_days: int = 0) -> datetime:
    return datetime.now(UTC).replace(tzinfo=None) + timedelta(days=plus_days)


def test_a_token_for_some_days_ends_after_them(app: Flask) -> None:
    token = run(app, "create-token", "registrar", "--expires-in", "90").stdout.strip()
    found = find_token(token)
    assert found is not None
    assert found.expires_at is not None
    assert abs(found.expires_at - today(90)) < timedelta(minutes=1)


def test_a_token_until_a_day_is_good_until_that_day_is_over(app: Flask) -> None:
    last_day = f"{today(1):%Y-%m-%d}"
    token = run(app, "create-token", "registrar", "--expires-in", last_day).stdout.strip()
    found = find_token(token)
    assert found is not None
    assert f"{found.expires_at:%Y-%m-%d %H:%M:%S}" == f"{today(2):%Y-%m-%d} 00:00:00"


@pytest.mark.parametrize(
    "end",
    [
        "0",
        "-1",
        "3651",
        "99999999999999",
        "soon",
        "2020-01-31",
        "9999-12-31",
        "2027-13-01",
        "1.5",
        "٣",
    ],
)
def test_an_end_that_is_none_is_refused(app: Flask, end: str) -> None:
    result = run(app, "create-token", "registrar", "--expires-in", end)
    assert result.exit_code == 2
    assert ApiToken.select().count() == 0


def test_a_name_that_no_list_could_show_is_refused_in_a_sentence(app: Flask) -> None:
    result = run(app, "create-token", "a\nb")
    assert (result.exit_code, len(result.stderr.splitlines())) == (1, 1)


def test_the_list_shows_everything_but_the_token(app: Flask) -> None:
    token = run(app, "create-token", "registrar", "--scope", "read").stdout.strip()
    run(app, "create-token", "old", "--expires-in", "1")
    run(app, "revoke-token", "old")
    assert ApiClient(app, token).get("/api/voters/").status_code == 200
    head, old, registrar = run(app, "list-tokens").stdout.splitlines()
    assert head.split()[:3] == ["NAME", "SCOPES", "STATE"]
    assert old.split()[:3] == ["old", "import,read", "revoked"]
    assert registrar.split()[:3] == ["registrar", "read", "valid"]
    assert registrar.count(f"{today():%Y-%m-%d}") == 2
    assert registrar.endswith("never")
    assert token not in registrar
    assert ApiToken.get(ApiToken.name == "registrar").digest not in registrar


def test_a_revoked_token_opens_nothing_from_then_on(app: Flask) -> None:
    client = ApiClient(app, run(app, "create-token", "registrar").stdout.strip())
    assert client.get("/api/voters/").status_code == 200
    assert run(app, "revoke-token", "registrar").exit_code == 0
    assert client.get("/api/voters/").status_code == 401
    again = run(app, "revoke-token", "registrar")
    assert (again.exit_code, "already" in again.stdout) == (0, True)


def test_revoking_what_is_not_there_is_an_error(app: Flask) -> None:
    result = run(app, "revoke-token", "nobody")
    assert (result.exit_code, result.stderr) == (1, "Error: There is no token named 'nobody'.\n")
