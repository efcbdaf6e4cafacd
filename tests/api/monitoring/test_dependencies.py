"""Which proxies and host names the service trusts, and the URLs of its links."""

import logging
from dataclasses import replace

import pytest
from flask import Flask, request
from werkzeug.test import create_environ, run_wsgi_app

from api.app import create_app
from config.settings import Settings
from shared.access.scopes import Scope
from tests.support.api_client import ROLL, ApiClient
from tests.support.application import client_of

CLAIMS = {
    "X-Forwarded-For": "198.51.100.7, 203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-Port": "1",
}


def seen(app: Flask, headers: dict[str, str]) -> tuple[str | None, str]:
    """The client's IP address and the URL of the service, as a view sees them."""
    found: list[tuple[str | None, str]] = []

    def look() -> str:
        found.append((request.remote_addr, request.url_root))
        return ""

    app.add_url_rule("/look", view_func=look)
    assert client_of(app, Scope.ADMIN).get("/look", headers=headers).status_code == 200
    return found[0]


@pytest.mark.parametrize(
    ("proxies", "address", "url"),
    [
        (0, "127.0.0.1", "http://localhost/"),
        (1, "203.0.113.9", "https://localhost/"),
        (2, "198.51.100.7", "http://localhost/"),
    ],
)
def test_so_many_proxies_as_the_setting_says_are_believed(
    app: Flask, settings: Settings, proxies: int, address: str, url: str
) -> None:
    proxied = create_app(replace(settings, trusted_proxies=proxies))
    assert seen(proxied, CLAIMS) == (address, url)


def test_an_untrusted_proxy_is_logged_once(
    own_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        ApiClient(own_app, "").get("/health/live", headers=CLAIMS)
    assert caplog.text.count("TRUSTED_PROXIES") == 1
    assert "198.51.100.7" not in caplog.text


def test_behind_a_router_browsers_get_the_hsts_header(app: Flask, settings: Settings) -> None:
    proxied = ApiClient(create_app(replace(settings, trusted_proxies=1)), "")
    hsts = "Strict-Transport-Security"
    assert "max-age" in proxied.get("/health/live", headers=CLAIMS).headers[hsts]
    assert hsts not in proxied.get("/health/live").headers
    assert hsts not in ApiClient(app, "").get("/health/live", headers=CLAIMS).headers


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "voters.example.evil.example",
        "voters.example@evil.example",
        "voters.example:80:81",
        "voters.example:99999",
        "voters.example/",
        "voters.example.",
        "evil.example, voters.example",
        "[::1]",
        "a" * 5000,
        "voters.example\\evil",
        "<script>",
        "ä.example",
        "..",
        "%76oters.example",
        "127.0.0.1",
    ],
)
def test_a_host_that_is_not_ours_gets_nothing(app: Flask, settings: Settings, host: str) -> None:
    guarded = create_app(replace(settings, allowed_hosts=("voters.example",)))
    for path in ("/health/live", "/api/voters/", "/", "/nothing"):
        answer = ApiClient(guarded, "").get(path, headers={"Host": host})
        assert answer.status_code == 400
        assert host not in answer.get_data(as_text=True)
        assert "Location" not in answer.headers


@pytest.mark.parametrize("host", ["<script>", "a b", "a@b", "a:b", "a/b"])
def test_a_host_that_is_none_is_refused_where_any_is_allowed(client: ApiClient, host: str) -> None:
    assert client.get("/api/voters/", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["xn--", "xn--a"])
def test_a_host_that_fits_no_link_causes_no_internal_error(app: Flask, host: str) -> None:
    environ = create_environ("/api/voters/")
    environ["HTTP_HOST"] = host
    _, status, _ = run_wsgi_app(app, environ)
    assert status.startswith("400 ")


@pytest.mark.parametrize(
    ("public_url", "start"),
    [
        ("https://voters.example.edu", "https://voters.example.edu/api/task-status/"),
        ("https://example.edu/rolls", "https://example.edu/rolls/api/task-status/"),
        ("https://example.edu/a/b", "https://example.edu/a/b/api/task-status/"),
    ],
)
def test_the_public_url_keeps_its_path(
    app: Flask, settings: Settings, public_url: str, start: str
) -> None:
    public = create_app(replace(settings, public_url=public_url))
    answer = client_of(public, Scope.IMPORT).upload(ROLL)
    assert answer.headers["Location"].startswith(start)
    assert answer.get_json()["status_url"] == answer.headers["Location"]


def test_no_address_of_a_client_is_logged(
    client: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client.send("GET", "/api/voters/", environ_overrides={"REMOTE_ADDR": "198.51.100.7"})
    assert "198.51.100.7" not in caplog.text
