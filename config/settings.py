"""The settings of every process, read once from the environment.

This is the only module that reads the environment. A process calls `load_settings` first and
hands the frozen `Settings` on; all problems are listed in one `SettingsError`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from environs import Env, EnvValidationError
from marshmallow import ValidationError
from marshmallow.validate import OneOf, Range

PROJECT_ROOT = Path(__file__).resolve().parent.parent
DEVELOPMENT_SECRET_KEY = "development-only-secret-key-not-for-production"  # noqa: S105
MIN_SECRET_KEY_CHARS = 32
WEAK_SECRET_KEY_WORDS = ("changeme", "change-me", "secret-key", "insecure", "development")
BROKER_VARIABLES = ("BROKER_URL", "CLOUDAMQP_URL", "RABBITMQ_URL", "CELERY_BROKER_URL")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
HOST = re.compile(r"[A-Za-z0-9.-]+")
ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+")
MIB = 1024 * 1024


class SettingsError(Exception):
    """The environment does not describe a service that can start; the text lists every problem."""


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where report mails go out, and to whom."""

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
    """Where finished jobs are announced; nowhere when the URL is empty.

    The URL is a secret too: that of many receivers holds a key.
    """

    url: str = field(repr=False)
    secret: str = field(repr=False)
    allow_private: bool


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """What nobody does more often, however many web processes there are."""

    auth_failures_per_minute: int
    sign_in_failures: int
    uploads_per_minute: int
    pending_jobs: int


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a process may know about its surroundings. Secrets stay out of the repr."""

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
    limits: LimitSettings
    mail: MailSettings
    webhook: WebhookSettings


def load_settings(*, read_dotenv: bool = True) -> Settings:
    """Read the settings from the environment and, for development, from `.env`.

    A variable of the environment wins over `.env`. Raises `SettingsError` naming every variable
    that is missing or cannot be used.
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
        public_url=str(env.str("PUBLIC_URL", "", validate=_check_public_url)).rstrip("/"),
        database_url=_database_url(env),
        broker_url=_broker_url(env),
        upload_store=env.str("UPLOAD_STORE", "file:var/uploads", validate=_check_store),
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
        limits=_limit_settings(env),
        mail=_mail_settings(env),
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
    """In small letters, as browsers send them and Werkzeug compares them."""
    hosts = _comma_list(env, "ALLOWED_HOSTS", validate=_check_hosts)
    return tuple(host.lower() for host in hosts)


def _limit_settings(env: Env) -> LimitSettings:
    return LimitSettings(
        auth_failures_per_minute=env.int("MAX_AUTH_FAILURES", 60, validate=Range(min=1)),
        sign_in_failures=env.int("MAX_SIGN_IN_FAILURES", 10, validate=Range(min=1)),
        uploads_per_minute=env.int("MAX_UPLOADS_PER_MINUTE", 300, validate=Range(min=1)),
        pending_jobs=env.int("MAX_PENDING_JOBS", 1000, validate=Range(min=1)),
    )


def _mail_settings(env: Env) -> MailSettings:
    use_tls = env.bool("EMAIL_USE_TLS", False)
    return MailSettings(
        host=env.str("EMAIL_HOST", "localhost"),
        port=env.int("EMAIL_PORT", 25, validate=Range(1, 65535)),
        use_tls=use_tls,
        use_ssl=env.bool("EMAIL_USE_SSL", False, validate=partial(_check_one_encryption, use_tls)),
        user=env.str("EMAIL_HOST_USER", ""),
        password=env.str("EMAIL_HOST_PASSWORD", ""),
        sender=env.str("DEFAULT_FROM_EMAIL", "voter-system@localhost"),
        recipients=_comma_list(env, "ADMIN_EMAIL", validate=_check_addresses),
        timeout_seconds=env.float("EMAIL_TIMEOUT_SECONDS", 10.0, validate=Range(min=0.1)),
        attachment_bytes=env.int("REPORT_ATTACHMENT_BYTES", MIB, validate=Range(0, 20 * MIB)),
    )


def _webhook_settings(env: Env) -> WebhookSettings:
    allow_private = env.bool("WEBHOOK_ALLOW_PRIVATE", False)
    url = env.str("WEBHOOK_URL", "", validate=partial(_check_webhook_url, allow_private))
    # Without a default it must be there.
    secret = env.str("WEBHOOK_SECRET", validate=_check_webhook_secret) if url else ""
    return WebhookSettings(url, secret, allow_private)


def _comma_list(
    env: Env, name: str, validate: Callable[[str], None] | None = None
) -> tuple[str, ...]:
    value = env.str(name, "", validate=validate)
    return tuple(part.strip() for part in str(value).split(",") if part.strip())


def _secret_key(env: Env, debug: bool) -> str:
    if debug:
        return env.str("SECRET_KEY", DEVELOPMENT_SECRET_KEY)
    return env.str("SECRET_KEY", validate=_check_secret_key)


def _database_url(env: Env) -> str:
    """Heroku still hands out `postgres://`; everything behind this line sees `postgresql://`."""
    url = env.str("DATABASE_URL", "sqlite:///var/voters.db", validate=_check_database_url)
    scheme, separator, rest = str(url).partition("://")
    return f"postgresql{separator}{rest}" if scheme == "postgres" else str(url)


def _broker_url(env: Env) -> str:
    for name in BROKER_VARIABLES:
        if env.str(name, ""):
            return env.str(name, validate=_check_broker_url)
    return "filesystem://var/broker"


def _check_secret_key(key: str) -> None:
    weak = len(key) < MIN_SECRET_KEY_CHARS or len(set(key)) < MIN_SECRET_KEY_CHARS // 4
    if weak or any(word in key.lower() for word in WEAK_SECRET_KEY_WORDS):
        raise ValidationError(
            f"Too weak. Use at least {MIN_SECRET_KEY_CHARS} random characters, for instance the"
            " output of `python -c 'import secrets; print(secrets.token_urlsafe(48))'`, or set"
            " DEBUG=1 on a laptop."
        )


def _check_database_url(url: str) -> None:
    _check_url(url, ("sqlite", "postgresql", "postgres"))
    if url.startswith("sqlite:") and not url.startswith("sqlite:///"):
        raise ValidationError("Use `sqlite:///FILE`, or `sqlite:////FILE` for an absolute path.")


def _check_broker_url(url: str) -> None:
    _check_url(url, ("filesystem", "amqp", "amqps"))


def _check_public_url(url: str) -> None:
    if url:
        _check_url(url, ("http", "https"))
    if "?" in url or "#" in url:
        raise ValidationError("The URL may have a path, but neither `?` nor `#`.")


def _check_webhook_url(allow_private: bool, url: str) -> None:
    if not url:
        return
    _check_url(url, ("https", "http") if allow_private else ("https",))
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment or not url.isascii():
        raise ValidationError("Give a host, and no user, password, fragment or non-ASCII letter.")
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValidationError("A URL holds no spaces or control characters.")


def _check_webhook_secret(secret: str) -> None:
    if len(secret) < MIN_SECRET_KEY_CHARS:
        raise ValidationError(f"Use at least {MIN_SECRET_KEY_CHARS} random characters.")


def _check_url(url: str, schemes: tuple[str, ...]) -> None:
    if url.partition("://")[0] not in schemes:
        raise ValidationError(f"The URL must start with one of: {', '.join(schemes)}.")
    try:
        # Only looking at the port finds out whether it is a number.
        _ = urlsplit(url).port
    except ValueError as error:
        # Without the URL itself, which may hold a password.
        raise ValidationError("The host or the port of the URL cannot be read.") from error


def _check_hosts(hosts: str) -> None:
    """What Werkzeug would stumble over at every request, or could never match."""
    for host in (part.strip() for part in hosts.split(",") if part.strip()):
        try:
            is_name = bool(HOST.fullmatch(host.removeprefix(".").encode("idna").decode()))
        except UnicodeError:
            is_name = False
        if not is_name and host != "*":
            raise ValidationError(
                "Give host names without scheme and port, with commas between them;"
                " `.example.edu` covers subdomains."
            )


def _check_addresses(addresses: str) -> None:
    if not all(
        ADDRESS.fullmatch(address.strip()) for address in addresses.split(",") if address.strip()
    ):
        raise ValidationError("Give e-mail addresses, with commas between them.")


def _check_store(store: str) -> None:
    kind, _, place = store.partition(":")
    if (kind, bool(place)) not in (("file", True), ("database", False)):
        raise ValidationError("Use `file:FOLDER` or `database:`.")


def _check_one_encryption(use_tls: bool, use_ssl: bool) -> None:
    if use_tls and use_ssl:
        raise ValidationError("EMAIL_USE_TLS and EMAIL_USE_SSL exclude each other.")
