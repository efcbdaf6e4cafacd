"""The settings of every process, read once from the environment.

No other module reads settings from the environment. A process calls `load_settings` first and
passes the frozen `Settings` on. One `SettingsError` lists all problems.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

from environs import Env, EnvValidationError
from marshmallow.validate import OneOf, Range

from config.checks import (
    check_addresses,
    check_broker_url,
    check_database_url,
    check_hosts,
    check_one_encryption,
    check_public_url,
    check_secret,
    check_sentry_dsn,
    check_store,
    check_webhook_secret,
    check_webhook_url,
)
from config.known_passwords import check_broker_login, check_database_login, check_mail_login

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT_SECRET_KEY = "development-only-secret-key-not-for-production"  # noqa: S105
BROKER_VARIABLES = ("BROKER_URL", "CLOUDAMQP_URL", "RABBITMQ_URL", "CELERY_BROKER_URL")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
MIB = 1024 * 1024


class SettingsError(Exception):
    """The environment does not describe a service that can start. The text lists every problem."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """How report mails are sent, and to whom."""

    host: str
    port: int
    use_tls: bool
    use_ssl: bool
    user: str
    password: str = field(repr=False)
    sender: str
    recipients: tuple[str, ...]
    timeout_seconds: float
    attachment_bytes: int


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where finished jobs are announced. If the URL is empty, they are not announced.

    The URL is a secret too, because that of many receivers holds a key.
    """

    url: str = field(repr=False)
    secret: str = field(repr=False)
    allow_private: bool


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """How often a caller may do something, over all web processes together."""

    auth_failures_per_minute: int
    sign_in_failures: int
    uploads_per_minute: int
    pending_jobs: int
    downloads_per_minute: int
    reports_per_hour: int


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a process knows of its environment. Secrets are not in the repr."""

    debug: bool
    secret_key: str = field(repr=False)
    allowed_hosts: tuple[str, ...]
    trusted_proxies: int
    public_url: str
    database_url: str = field(repr=False)
    broker_url: str = field(repr=False)
    upload_store: str
    max_upload_bytes: int
    max_rows: int
    fast_sheet_bytes: int
    job_time_limit_seconds: int
    job_memory_limit_mb: int
    consumer_concurrency: int
    max_attempts: int
    lease_seconds: float
    poll_seconds: float
    sweep_seconds: float
    retain_files_days: float
    log_level: str
    sentry_dsn: str = field(repr=False)
    limits: LimitSettings
    mail: MailSettings
    webhook: WebhookSettings


def load_settings(*, read_dotenv: bool = True) -> Settings:
    """Read the settings from the environment and, for development, from `.env`.

    A variable of the environment overrides `.env`. Raises `SettingsError`, which names every
    variable that is missing or invalid.
    """
    env = Env(eager=False)
    if read_dotenv:
        env.read_env(str(PROJECT_ROOT / ".env"), recurse=False)
    debug = env.bool("DEBUG", False)
    settings = Settings(
        debug=debug,
        secret_key=_secret_key(env, debug),
        allowed_hosts=_allowed_hosts(env),
        trusted_proxies=env.int("TRUSTED_PROXIES", 0, validate=Range(0, 5)),
        public_url=str(env.str("PUBLIC_URL", "", validate=check_public_url)).rstrip("/"),
        database_url=_database_url(env, debug),
        broker_url=_broker_url(env, debug),
        upload_store=env.str("UPLOAD_STORE", "file:var/uploads", validate=check_store),
        max_upload_bytes=env.int("MAX_UPLOAD_BYTES", 200 * MIB, validate=Range(min=1)),
        max_rows=env.int("MAX_ROWS", 5_000_000, validate=Range(min=1)),
        fast_sheet_bytes=env.int("FAST_SHEET_BYTES", 64 * MIB, validate=Range(min=0)),
        job_time_limit_seconds=env.int("JOB_TIME_LIMIT_SECONDS", 3600, validate=Range(min=1)),
        job_memory_limit_mb=env.int("JOB_MEMORY_LIMIT_MB", 512, validate=Range(min=128)),
        consumer_concurrency=env.int("CONSUMER_CONCURRENCY", 1, validate=Range(1, 64)),
        max_attempts=env.int("MAX_ATTEMPTS", 5, validate=Range(min=1)),
        lease_seconds=env.float("LEASE_SECONDS", 20.0, validate=Range(min=1)),
        poll_seconds=env.float("POLL_SECONDS", 1.0, validate=Range(0.05, 60)),
        sweep_seconds=env.float("SWEEP_SECONDS", 300.0, validate=Range(min=1)),
        retain_files_days=env.float("RETAIN_FILES_DAYS", 90.0, validate=Range(min=0)),
        log_level=env.str("LOG_LEVEL", "INFO", validate=OneOf(LOG_LEVELS)),
        sentry_dsn=env.str("SENTRY_DSN", "", validate=check_sentry_dsn),
        limits=_limit_settings(env),
        mail=_mail_settings(env, debug),
        webhook=_webhook_settings(env),
    )
    _raise_problems(env)
    return settings


def _raise_problems(env: Env) -> None:
    try:
        env.seal()
    except EnvValidationError as error:
        messages = cast("Mapping[str, list[str]]", error.error_messages)
        lines = [f"- {name}: {' '.join(messages[name])}" for name in sorted(messages)]
        raise SettingsError("\n".join(["These settings stop the start:", *lines])) from None


def _allowed_hosts(env: Env) -> tuple[str, ...]:
    """Return the host names in lower case, as browsers send them and Werkzeug compares them."""
    hosts = _comma_list(env, "ALLOWED_HOSTS", validate=check_hosts)
    return tuple(host.lower() for host in hosts)


def _limit_settings(env: Env) -> LimitSettings:
    return LimitSettings(
        auth_failures_per_minute=env.int("MAX_AUTH_FAILURES", 60, validate=Range(min=1)),
        sign_in_failures=env.int("MAX_SIGN_IN_FAILURES", 10, validate=Range(min=1)),
        uploads_per_minute=env.int("MAX_UPLOADS_PER_MINUTE", 300, validate=Range(min=1)),
        pending_jobs=env.int("MAX_PENDING_JOBS", 1000, validate=Range(min=1)),
        downloads_per_minute=env.int("MAX_DOWNLOADS_PER_MINUTE", 60, validate=Range(min=1)),
        reports_per_hour=env.int("MAX_REPORTS_PER_HOUR", 30, validate=Range(min=1)),
    )


def _mail_settings(env: Env, debug: bool) -> MailSettings:
    host = env.str("EMAIL_HOST", "localhost")
    user = env.str("EMAIL_HOST_USER", "")
    check_login = partial(check_mail_login, host, user)
    use_tls = env.bool("EMAIL_USE_TLS", False)
    return MailSettings(
        host=host,
        port=env.int("EMAIL_PORT", 25, validate=Range(1, 65535)),
        use_tls=use_tls,
        use_ssl=env.bool("EMAIL_USE_SSL", False, validate=partial(check_one_encryption, use_tls)),
        user=user,
        password=env.str("EMAIL_HOST_PASSWORD", "", validate=_unless(debug, check_login)),
        sender=env.str("DEFAULT_FROM_EMAIL", "voter-system@localhost"),
        recipients=_comma_list(env, "ADMIN_EMAIL", validate=check_addresses),
        timeout_seconds=env.float("EMAIL_TIMEOUT_SECONDS", 10.0, validate=Range(min=0.1)),
        attachment_bytes=env.int("REPORT_ATTACHMENT_BYTES", MIB, validate=Range(0, 20 * MIB)),
    )


def _webhook_settings(env: Env) -> WebhookSettings:
    allow_private = env.bool("WEBHOOK_ALLOW_PRIVATE", False)
    url = env.str("WEBHOOK_URL", "", validate=partial(check_webhook_url, allow_private))
    # It has no default, so it is required.
    secret = env.str("WEBHOOK_SECRET", validate=check_webhook_secret) if url else ""
    return WebhookSettings(url, secret, allow_private)


def _comma_list(
    env: Env, name: str, validate: Callable[[str], None] | None = None
) -> tuple[str, ...]:
    value = env.str(name, "", validate=validate)
    return tuple(part.strip() for part in str(value).split(",") if part.strip())


def _secret_key(env: Env, debug: bool) -> str:
    if debug:
        return env.str("SECRET_KEY", DEVELOPMENT_SECRET_KEY)
    return env.str("SECRET_KEY", validate=check_secret)


def _database_url(env: Env, debug: bool) -> str:
    """Return the URL with `postgresql://`, because Heroku still provides `postgres://`."""
    checks = [check_database_url, *_unless(debug, check_database_login)]
    url = env.str("DATABASE_URL", "sqlite:///var/voters.db", validate=checks)
    scheme, separator, rest = str(url).partition("://")
    return f"postgresql{separator}{rest}" if scheme == "postgres" else str(url)


def _broker_url(env: Env, debug: bool) -> str:
    checks = [check_broker_url, *_unless(debug, check_broker_login)]
    for name in BROKER_VARIABLES:
        if env.str(name, ""):
            return env.str(name, validate=checks)
    return "filesystem://var/broker"


def _unless(debug: bool, check: Callable[[str], None]) -> list[Callable[[str], None]]:
    """Return the check, or none with DEBUG: it matters only if others can reach the service."""
    return [] if debug else [check]
