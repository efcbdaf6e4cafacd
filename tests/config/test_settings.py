"""The environment becomes settings, or one list of problems."""

from dataclasses import replace

import pytest

from config.advice import give_advice
from config.settings import SettingsError, load_settings

STRONG_KEY = "Zx9-8fKqLw2_tRv7YpB3nMs5DhJ1cGaE"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET_KEY", "DEBUG", "DATABASE_URL", "BROKER_URL", "ADMIN_EMAIL", "MAX_ROWS"):
        monkeypatch.delenv(name, raising=False)


def problems() -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(read_dotenv=False)
    return str(caught.value)


def test_a_laptop_needs_nothing_but_debug(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    settings = load_settings(read_dotenv=False)
    assert settings.database_url == "sqlite:///var/voters.db"
    assert settings.broker_url == "filesystem://var/broker"
    assert settings.upload_store == "file:var/uploads"


@pytest.mark.parametrize("key", [None, "", "short", "a" * 64, "changeme" * 8, STRONG_KEY[:31]])
def test_without_debug_a_missing_or_weak_key_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    if key is not None:
        monkeypatch.setenv("SECRET_KEY", key)
    assert "SECRET_KEY" in problems()


def test_every_problem_is_listed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {
        "MAX_ROWS": "many",
        "EMAIL_PORT": "99999999",
        "DATABASE_URL": "mysql://localhost/x",
        "BROKER_URL": "redis://localhost",
        "UPLOAD_STORE": "ftp://x",
        "CONSUMER_CONCURRENCY": "0",
    }
    for name, value in bad.items():
        monkeypatch.setenv(name, value)
    text = problems()
    assert [name for name in (*bad, "SECRET_KEY") if name not in text] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "sqlite://voters.db"),
        ("DATABASE_URL", "postgresql://u:hunter2@h:port/d"),
        ("BROKER_URL", "amqp://u:hunter2@[::bad"),
        ("PUBLIC_URL", "javascript:alert(1)"),
        ("PUBLIC_URL", "https://x.example/?next=/"),
        ("ALLOWED_HOSTS", "https://x.example"),
        ("ALLOWED_HOSTS", "x.example:8000"),
        ("ALLOWED_HOSTS", "x.example, a..b"),
        ("ALLOWED_HOSTS", "x" * 64),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "yes"),
        ("MAX_AUTH_FAILURES", "0"),
        ("MAX_SIGN_IN_FAILURES", "0"),
        ("MAX_UPLOADS_PER_MINUTE", "0"),
        ("MAX_PENDING_JOBS", "0"),
        ("MAX_DOWNLOADS_PER_MINUTE", "0"),
        ("MAX_REPORTS_PER_HOUR", "0"),
        ("ADMIN_EMAIL", "a@x.edu, nobody"),
        ("WEBHOOK_URL", "http://hooks.example/plain"),
        ("WEBHOOK_URL", "https://user:hunter2@hooks.example/"),
        ("WEBHOOK_URL", "https:///nowhere"),
        ("WEBHOOK_URL", "https://[::bad"),
        ("WEBHOOK_URL", "https://hooks.example/a b"),
        ("WEBHOOK_URL", "https://hooks.example/\r\nX: hunter2"),
        ("WEBHOOK_URL", "ftp://hooks.example/"),
        ("ADMIN_EMAIL", "a@x.edu\r\nBcc: b@x.edu"),
    ],
)
def test_what_would_only_fail_later_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv(name, value)
    text = problems()
    assert name in text
    assert "hunter2" not in text


def test_a_webhook_needs_a_long_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("WEBHOOK_URL", "https://hooks.example/roll")
    assert "WEBHOOK_SECRET" in problems()
    monkeypatch.setenv("WEBHOOK_SECRET", "short")
    assert "WEBHOOK_SECRET" in problems()
    monkeypatch.setenv("WEBHOOK_SECRET", STRONG_KEY)
    assert load_settings(read_dotenv=False).webhook.url == "https://hooks.example/roll"


def test_a_private_webhook_may_be_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("WEBHOOK_URL", "http://hooks.internal/roll")
    monkeypatch.setenv("WEBHOOK_SECRET", STRONG_KEY)
    monkeypatch.setenv("WEBHOOK_ALLOW_PRIVATE", "1")
    assert load_settings(read_dotenv=False).webhook.allow_private


def test_two_kinds_of_mail_encryption_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("EMAIL_USE_TLS", "1")
    monkeypatch.setenv("EMAIL_USE_SSL", "1")
    assert "EMAIL_USE_SSL" in problems()


@pytest.mark.parametrize("name", ["CLOUDAMQP_URL", "RABBITMQ_URL", "CELERY_BROKER_URL"])
def test_the_broker_is_found_under_the_names_of_the_platforms(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv(name, "amqp://other/")
    assert load_settings(read_dotenv=False).broker_url == "amqp://other/"
    monkeypatch.setenv("BROKER_URL", "amqp://first/")
    assert load_settings(read_dotenv=False).broker_url == "amqp://first/"


def test_the_old_scheme_of_postgresql_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("DATABASE_URL", "postgres://u:p@h/d")
    assert load_settings(read_dotenv=False).database_url == "postgresql://u:p@h/d"


def test_admin_addresses_are_a_comma_list(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("ADMIN_EMAIL", " a@x.edu, b@x.edu ,")
    assert load_settings(read_dotenv=False).mail.recipients == ("a@x.edu", "b@x.edu")


def test_no_secret_is_in_the_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", STRONG_KEY)
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:hunter2-hunter2@h/d")
    monkeypatch.setenv("BROKER_URL", "amqp://u:hunter2-hunter2@h/")
    monkeypatch.setenv("EMAIL_HOST_PASSWORD", "hunter2")
    monkeypatch.setenv("WEBHOOK_URL", "https://hooks.example/hunter2")
    monkeypatch.setenv("WEBHOOK_SECRET", "hunter2" * 5)
    shown = repr(load_settings(read_dotenv=False))
    assert "hunter2" not in shown
    assert STRONG_KEY not in shown


def test_allowed_hosts_are_a_comma_list_in_small_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("ALLOWED_HOSTS", "Voters.Example.edu, .example.org,wähler.example,*")
    assert load_settings(read_dotenv=False).allowed_hosts == (
        "voters.example.edu", ".example.org", "wähler.example", "*",
    )  # fmt: skip


BUCKETS = {
    "s3://bucket/prefix": {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"},
    # Without keys, the machine's role may give access. Only a request could show that.
    "s3://bucket": {},
    "gs://bucket/prefix": {},
    "az://container/prefix": {"AZURE_STORAGE_ACCOUNT_NAME": "name"},
    "https://account.blob.core.windows.net/container/prefix": {},
}


@pytest.mark.parametrize("url", BUCKETS)
def test_a_bucket_is_an_upload_store(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("UPLOAD_STORE", url)
    for name, value in BUCKETS[url].items():
        monkeypatch.setenv(name, value)
    assert load_settings(read_dotenv=False).upload_store == url


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("s3://key:hunter2@bucket", "AWS_..."),
        ("s3://bucket?region=eu", "AWS_..."),
        ("s3:bucket", "URL"),
        ("s3://bucket/prefix", "SecretAccessKey"),
        ("az://container", "Account"),
        ("https://example.edu/files", "URL"),
    ],
)  # fmt: skip
def test_an_incomplete_bucket_setting_is_refused_with_the_reason(
    url: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEBUG", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("UPLOAD_STORE", url)
    text = problems()
    assert reason in text
    assert "hunter2" not in text


@pytest.mark.parametrize(
    ("store", "debug", "warnings"),
    [("file:var/uploads", False, 1), ("file:var/uploads", True, 0), ("database:", False, 0)],
)
def test_a_deployed_service_is_warned_to_share_its_upload_folder(
    store: str,
    debug: bool,
    warnings: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The web process and the worker must share this folder."""
    monkeypatch.setenv("SECRET_KEY", STRONG_KEY)
    settings = load_settings(read_dotenv=False)
    give_advice(replace(settings, upload_store=store, debug=debug))
    assert len(caplog.records) == warnings
