"""Checks of settings: a secret, a URL, an email address, a host name, an upload store.

Each check raises marshmallow's ValidationError with a sentence for the operator. No sentence quotes
the value, which may hold a password.
"""

import re
from urllib.parse import urlsplit

from marshmallow import ValidationError

from config.buckets import OPENERS, check_bucket

MIN_SECRET_CHARS = 32
WEAK_SECRET_WORDS = ("changeme", "change-me", "secret-key", "insecure", "development")
HOST = re.compile(r"[A-Za-z0-9.-]+")
ADDRESS = re.compile(r"[^@\s,]+@[^@\s,]+")


def check_secret(secret: str) -> None:
    is_weak = len(secret) < MIN_SECRET_CHARS or len(set(secret)) < MIN_SECRET_CHARS // 4
    if is_weak or any(word in secret.lower() for word in WEAK_SECRET_WORDS):
        raise ValidationError(
            f"Too weak. Use at least {MIN_SECRET_CHARS} random characters, for example the"
            " output of `python -c 'import secrets; print(secrets.token_urlsafe(48))'`, or"
            " set DEBUG=1 on a laptop."
        )


def check_database_url(url: str) -> None:
    check_url(url, ("sqlite", "postgresql", "postgres"))
    if url.startswith("sqlite:") and not url.startswith("sqlite:///"):
        raise ValidationError("Use `sqlite:///FILE`, or `sqlite:////FILE` for an absolute path.")


def check_broker_url(url: str) -> None:
    check_url(url, ("filesystem", "amqp", "amqps"))


def check_public_url(url: str) -> None:
    if url:
        check_url(url, ("http", "https"))
    if "?" in url or "#" in url:
        raise ValidationError("The URL may have a path, but neither `?` nor `#`.")


def check_webhook_url(allow_private: bool, url: str) -> None:
    if not url:
        return
    check_url(url, ("https", "http") if allow_private else ("https",))
    parts = urlsplit(url)
    if not parts.hostname or parts.username or parts.fragment or not url.isascii():
        raise ValidationError("Give a host, and no user, password, fragment or non-ASCII letter.")
    if any(character <= " " or character == "\x7f" for character in url):
        raise ValidationError("A URL has no spaces or control characters.")


def check_webhook_secret(secret: str) -> None:
    if len(secret) < MIN_SECRET_CHARS:
        raise ValidationError(f"Use at least {MIN_SECRET_CHARS} random characters.")


def check_sentry_dsn(dsn: str) -> None:
    if not dsn:
        return
    check_url(dsn, ("https", "http"))
    parts = urlsplit(dsn)
    if not (parts.username and parts.hostname and parts.path.strip("/").isdecimal()):
        raise ValidationError("Use a DSN of Sentry, such as https://KEY@HOST/NUMBER.")


def check_url(url: str, schemes: tuple[str, ...]) -> None:
    if url.partition("://")[0] not in schemes:
        raise ValidationError(f"The URL must start with one of: {', '.join(schemes)}.")
    try:
        # `urlsplit` checks whether the port is a number only when the port is read.
        _ = urlsplit(url).port
    except ValueError as error:
        # The message leaves out the URL, which may hold a password.
        raise ValidationError("The host or the port of the URL is not valid.") from error


def check_hosts(hosts: str) -> None:
    """Reject host names that Werkzeug fails on at every request, or that can never match."""
    for host in (part.strip() for part in hosts.split(",") if part.strip()):
        try:
            is_name = bool(HOST.fullmatch(host.removeprefix(".").encode("idna").decode()))
        except UnicodeError:
            is_name = False
        if not is_name and host != "*":
            raise ValidationError(
                "Give host names without scheme and port, separated by commas."
                " `.example.edu` includes subdomains."
            )


def check_addresses(addresses: str) -> None:
    if not all(
        ADDRESS.fullmatch(address.strip()) for address in addresses.split(",") if address.strip()
    ):
        raise ValidationError("Give email addresses, separated by commas.")


def check_store(store: str) -> None:
    kind, _, place = store.partition(":")
    if kind in OPENERS:
        check_bucket(store)
    elif (kind, bool(place)) not in (("file", True), ("database", False)):
        raise ValidationError(
            "Use `file:FOLDER`, `database:`, or a bucket: `s3://BUCKET/PREFIX`,"
            " `gs://BUCKET/PREFIX`, `az://CONTAINER/PREFIX`."
        )


def check_one_encryption(use_tls: bool, use_ssl: bool) -> None:
    if use_tls and use_ssl:
        raise ValidationError("Set only one of EMAIL_USE_TLS and EMAIL_USE_SSL.")
