"""The real application on its own database, and clients with credentials."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from api.app import create_app, open_services
from config.settings import Settings, load_settings
from shared.access import passwords
from shared.access.scopes import Scope
from shared.access.tokens import create_token
from shared.database.connection import database
from tests.support.api_client import ApiClient

# A hash of the service takes a tenth of a second, and most tests of pages make two of them.
QUICK_HASH = "scrypt:256:8:1"

_built: dict[Settings, tuple[Flask, dict[str, Any]]] = {}


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords get a hash that takes a millisecond."""
    monkeypatch.setattr(passwords, "METHOD", QUICK_HASH)


@pytest.fixture
def settings(
    tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, quick_hashes: None
) -> Settings:
    """Settings that keep all data in the test's own folder."""
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


def app_of(settings: Settings) -> Flask:
    """The application for these settings.

    Building it takes 143 ms, so settings that differ only in the places of data share one.
    """
    alike = replace(settings, database_url="", broker_url="", upload_store="")
    if alike not in _built:
        built = create_app(settings)
        _built[alike] = built, dict(built.extensions)
    app, extensions = _built[alike]
    # Removes what earlier requests left there, such as the last answer of a probe.
    app.extensions.clear()
    app.extensions.update(extensions)
    open_services(app, settings)
    return app


@pytest.fixture
def app(settings: Settings, migrated_sqlite_url: str) -> Iterator[Flask]:
    """The application on a migrated database without rows."""
    assert settings.database_url == migrated_sqlite_url
    yield app_of(settings)
    if not database.is_closed():
        database.close()


@pytest.fixture
def own_app(settings: Settings, migrated_sqlite_url: str) -> Iterator[Flask]:
    """An application that no other test shares. The test may add views to it."""
    assert settings.database_url == migrated_sqlite_url
    yield create_app(settings)
    if not database.is_closed():
        database.close()


@pytest.fixture
def client(app: Flask) -> ApiClient:
    """A client whose token has the scopes `read` and `import`."""
    return client_of(app, Scope.READ, Scope.IMPORT)


def client_of(app: Flask, *scopes: Scope) -> ApiClient:
    """A client whose token has these scopes."""
    token = create_token(f"test {' '.join(scopes)}".rstrip(), scopes)
    database.close()
    return ApiClient(app, token)
