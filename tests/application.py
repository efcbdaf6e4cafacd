"""The real application over a database of its own, and clients with credentials."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from api_client import ApiClient
from flask import Flask

from api.app import create_app
from config.settings import Settings, load_settings
from shared.credentials import Scope, create_token
from shared.database import database


@pytest.fixture
def settings(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings under which everything lies in the test's own folder."""
    monkeypatch.setenv("DEBUG", "1")
    return replace(
        load_settings(read_dotenv=False),
        database_url=sqlite_url,
        broker_url=f"filesystem://{tmp_path / 'broker'}",
        upload_store=f"file:{tmp_path / 'uploads'}",
        max_upload_bytes=100_000,
        allowed_hosts=(),
        public_url="",
    )


@pytest.fixture
def app(settings: Settings, migrated_sqlite_url: str) -> Iterator[Flask]:
    """The application over a migrated database without rows."""
    assert settings.database_url == migrated_sqlite_url
    yield create_app(settings)
    if not database.is_closed():
        database.close()


@pytest.fixture
def client(app: Flask) -> ApiClient:
    """A client that may read and import."""
    return client_of(app, Scope.READ, Scope.IMPORT)


def client_of(app: Flask, *scopes: Scope) -> ApiClient:
    """A client whose token has the scopes."""
    token = create_token(f"test {' '.join(scopes)}".rstrip(), scopes)
    database.close()
    return ApiClient(app, token)
