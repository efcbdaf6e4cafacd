"""Well-known logins, which an attacker would try first and which stop a production start.

A server on the same machine may have them, because a client that reaches its loopback or its socket
is past that barrier. A URL without a password is left to the server, which may ask for a
certificate or know its peers. The checks raise marshmallow's ValidationError and never quote the
value.
"""

import re
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import psycopg
from marshmallow import ValidationError
from psycopg.conninfo import conninfo_to_dict

MIN_PASSWORD_CHARS = 8
# The default of RabbitMQ, and that of AMQP for a URL without a user.
GUEST = "guest"
# Passwords of images, tutorials and examples, including those of this project. Digits at the end
# and punctuation change nothing: Change-Me-123 is one of them.
COMMON_PASSWORDS = frozenset({
    "12345678", "123456789", "1234567890", "admin", "adminadmin", "administrator", "bitnami",
    "changeit", "changeme", "changethis", "database", "dbpassword", "default", "development",
    "example", "guest", "letmein", "mysecretpassword", "passwd", "password", "passwort", "postgres",
    "postgrespassword", "postgresql", "qwerty", "rabbitmq", "root", "rootroot", "secret",
    "secretpassword", "supersecret", "superuser", "test", "testtest", "user", "voterroll", "voters",
    "welcome", "yourpassword",
})  # fmt: skip
ADVICE = "Use a random password of its own for the service, or set DEBUG=1 on a laptop."


def check_database_login(url: str) -> None:
    """Check a `postgresql://` URL as libpq reads it, including the options after `?`."""
    if not url.startswith(("postgresql://", "postgres://")):
        return
    try:
        options = conninfo_to_dict(url)
    except psycopg.Error:
        raise ValidationError("PostgreSQL's library cannot read the URL.") from None
    hosts = str(options.get("hostaddr") or options.get("host") or "").split(",")
    names = [str(options.get(name) or "") for name in ("user", "dbname")]
    _check(hosts, str(options.get("password") or ""), names)


def check_broker_login(urls: str) -> None:
    """Check `amqp://` URLs, with `;` between those of a cluster."""
    for url in urls.split(";"):
        parts = _parts(url)
        if parts is None:
            continue
        host, user, password = parts
        if not is_here(host) and GUEST in (user or GUEST, password):
            raise ValidationError(
                f"The user or the password is `{GUEST}`, which everyone knows. A URL"
                f" without a user means the same. {ADVICE}"
            )
        _check([host], password, [user, urlsplit(url).path.strip("/")])


def _parts(url: str) -> tuple[str, str, str] | None:
    """Return host, user and password of an AMQP URL, or None if another check rejects the URL."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("amqp", "amqps"):
        return None
    return host, unquote(parts.username or ""), unquote(parts.password or "")


def check_mail_login(host: str, user: str, password: str) -> None:
    _check([host], password, [user, user.partition("@")[0]])


def _check(hosts: list[str], password: str, names: list[str]) -> None:
    if password and not all(map(is_here, hosts)) and is_known(password, names):
        raise ValidationError(f"The password is easy to guess. {ADVICE}")


def is_known(password: str, names: list[str]) -> bool:
    """Whether a password is well known, one of the `names` beside it, or short."""
    plain = re.sub(r"[\W_]", "", password.casefold())
    guesses = COMMON_PASSWORDS | {re.sub(r"[\W_]", "", name.casefold()) for name in names if name}
    is_guessed = not {plain, plain.rstrip("0123456789")}.isdisjoint(guesses)
    return is_guessed or len(password) < MIN_PASSWORD_CHARS


def is_here(host: str) -> bool:
    """Whether a host is this machine: its loopback, or a socket in a folder."""
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
