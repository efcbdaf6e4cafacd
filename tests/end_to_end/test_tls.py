"""Broker and database over TLS: which servers the service trusts, and which not."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import trustme
from peewee import OperationalError

from shared.broker.doorbell import Doorbell
from shared.database.connection import database
from tests.conftest import opened
from tests.support.tls_relay import tls_relay

pytestmark = pytest.mark.service

HOST = "127.0.0.1"
OTHER_HOST = "broker.example.net"


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def known(authority: trustme.CA, tmp_path: Path) -> Iterator[Path]:
    """The file of the authority's own certificate."""
    with authority.cert_pem.tempfile(dir=str(tmp_path)) as path:
        yield Path(path)


@pytest.mark.parametrize(
    ("host", "is_known", "is_heard"),
    [(HOST, True, True), (OTHER_HOST, True, False), (HOST, False, False)],
)
def test_a_broker_needs_a_trusted_certificate_for_its_host(
    host: str,
    is_known: bool,
    is_heard: bool,
    authority: trustme.CA,
    known: Path,
    rabbitmq_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if is_known:
        monkeypatch.setenv("SSL_CERT_FILE", str(known))
    with tls_relay(rabbitmq_url, authority, host) as port:
        broker_url = with_port(rabbitmq_url, port, scheme="amqps")
        with closing(Doorbell(broker_url)) as doorbell:
            assert doorbell.ring(uuid4()) is is_heard


@pytest.mark.parametrize(
    ("host", "options", "is_taken"),
    [
        (HOST, "sslmode=require", True),
        # As in psql, `require` encrypts but accepts any server. `verify-full` checks the server.
        (OTHER_HOST, "sslmode=require", True),
        (HOST, "sslmode=verify-full&sslrootcert={known}", True),
        (OTHER_HOST, "sslmode=verify-full&sslrootcert={known}", False),
        (HOST, "sslmode=verify-full&sslrootcert=system", False),
    ],
)
def test_a_database_is_taken_as_the_options_of_its_url_say(
    host: str,
    options: str,
    is_taken: bool,
    authority: trustme.CA,
    known: Path,
    postgresql_url: str,
) -> None:
    with tls_relay(postgresql_url, authority, host) as port:
        url = f"{with_port(postgresql_url, port)}?{options.format(known=known)}"
        with opened(url):
            if is_taken:
                assert database.execute_sql("SELECT 1").fetchone() == (1,)
            else:
                with pytest.raises(OperationalError, match="certificate"):
                    database.execute_sql("SELECT 1")


def with_port(url: str, port: int, scheme: str | None = None) -> str:
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return parts._replace(scheme=scheme or parts.scheme, netloc=f"{user}@{HOST}:{port}").geturl()
