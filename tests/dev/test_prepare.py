"""Development credentials: made once, kept while they work, readable only by their owner."""

import json
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.prepare import main, new_credentials, usable_credentials, welcome, write_private
from shared.access.models import ApiToken
from shared.access.scopes import Scope
from shared.access.tokens import find_token
from shared.database.schema import migrate
from shared.database.sql import clock
from tests.conftest import opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "dev-credentials.json"


@pytest.fixture(autouse=True)
def _database(sqlite_url: str) -> Iterator[None]:
    with opened(sqlite_url):
        migrate()
        yield


def test_new_credentials_may_do_everything() -> None:
    credentials = new_credentials()
    token = find_token(credentials["token"])
    assert token is not None
    assert all(token.allows(scope) for scope in Scope)
    assert credentials["username"] == "development"


def test_credentials_that_work_are_kept(path: Path) -> None:
    credentials = new_credentials()
    write_private(path, json.dumps(credentials))
    assert usable_credentials(path) == credentials


def test_the_file_is_its_owners_alone_even_when_it_was_not(path: Path) -> None:
    path.parent.mkdir()
    path.touch(0o644)
    write_private(path, "{}")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"url": 1}', "not json"])
def test_a_missing_or_damaged_file_is_no_credentials(path: Path, content: str | None) -> None:
    if content is not None:
        write_private(path, content)
    assert usable_credentials(path) is None


def test_a_revoked_token_voids_the_file_and_new_names_are_unused(path: Path) -> None:
    write_private(path, json.dumps(new_credentials()))
    ApiToken.update(revoked_at=clock()).execute()
    assert usable_credentials(path) is None
    assert new_credentials()["username"] == "development-2"


def test_the_welcome_shows_where_to_go_and_how_to_get_in() -> None:
    credentials = {"url": "http://127.0.0.1:8000", "token": "t", "username": "u", "password": "p"}
    shown = welcome(credentials)
    assert "http://127.0.0.1:8000/api/docs/" in shown
    assert "Authorization: Bearer t" in shown
    assert "u / p" in shown


def test_a_port_that_is_taken_is_named_before_anything_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DEBUG", "1")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert main(["--port", str(port)]) == 1
    shown = capsys.readouterr()
    assert f"Port {port} is in use." in shown.err
    assert shown.out == ""
