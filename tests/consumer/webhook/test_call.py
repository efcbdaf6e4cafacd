"""One call to a real server: pinned IP address, verified TLS, time limits, no redirects."""

import http.client
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from consumer.errors import AddressRefused, CallTimeout
from consumer.webhook.call import post
from tests.support.receiver import Receiver

PUBLIC_ADDRESS = "93.184.216.34"
# A TLS record with one byte of a HelloRequest, which a client skips (RFC 5246, section 7.4.1.1). So
# a handshake of these never ends.
HELLO_REQUEST_BYTE = b"\x16\x03\x03\x00\x01\x00"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver().open() as opened:
        yield opened


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate only for `localhost`, and its key."""
    if shutil.which("openssl") is None and os.environ.get("REQUIRE_SERVICES") != "1":
        pytest.skip("openssl is not installed")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
         "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate],
        capture_output=True,
        check=True,
    )  # fmt: skip
    return certificate, key


@pytest.fixture
def tls_receiver(certificate: tuple[Path, Path]) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with Receiver().open(context) as opened:
        yield opened


def call(url: str, **options: Any) -> int:
    return post(url, b"{}", {"x-extra": "1"}, **{"allow_private": True, **options})


def test_a_call_arrives_whole(receiver: Receiver) -> None:
    assert call(f"http://127.0.0.1:{receiver.port}/hook/a?b=c") == 204
    [(path, headers, body)] = receiver.calls
    assert (path, body) == ("/hook/a?b=c", b"{}")
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    assert headers["content-type"] == "application/json"
    assert headers["x-extra"] == "1"


def test_a_private_address_is_refused_before_anything_is_sent(receiver: Receiver) -> None:
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "127.1"):
        with pytest.raises(AddressRefused):
            call(f"http://{host}:{receiver.port}/", allow_private=False)
    assert receiver.calls == []


def test_a_redirect_is_not_followed(receiver: Receiver) -> None:
    receiver.status = 307
    receiver.headers = {"Location": f"http://127.0.0.1:{receiver.port}/inside"}
    assert call(f"http://127.0.0.1:{receiver.port}/") == 307
    assert len(receiver.calls) == 1


def test_a_proxy_of_the_environment_is_not_asked(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert call(f"http://127.0.0.1:{receiver.port}/") == 204


def test_a_host_name_is_looked_up_once_and_its_answer_is_kept(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: a public IP address for the check, loopback for the connection."""
    asked: list[str] = []
    really = socket.getaddrinfo

    def rebind(host: str, port: int, *rest: Any, **options: Any) -> Any:
        if host != "rebind.example":
            return really(host, port, *rest, **options)
        asked.append(host)
        return really(PUBLIC_ADDRESS if len(asked) == 1 else "127.0.0.1", port, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    with pytest.raises(OSError) as failed:  # noqa: PT011 - the network decides how
        call(f"http://rebind.example:{receiver.port}/", allow_private=False, connect_seconds=0.3)
    assert not isinstance(failed.value, AddressRefused)
    assert asked == ["rebind.example"]
    assert receiver.calls == []


def test_a_name_with_one_address_inside_is_refused_altogether(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    really = socket.getaddrinfo

    def mixed_addresses(host: str, *rest: Any, **options: Any) -> Any:
        return really(PUBLIC_ADDRESS, *rest, **options) + really("10.0.0.1", *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", mixed_addresses)
    with pytest.raises(AddressRefused):
        call("https://mixed.example/", allow_private=False)


def test_a_certificate_is_verified_against_the_name(
    tls_receiver: Receiver, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    assert call(f"https://localhost:{tls_receiver.port}/") == 204
    with pytest.raises(ssl.SSLCertVerificationError, match="IP address mismatch"):
        call(f"https://127.0.0.1:{tls_receiver.port}/")
    assert len(tls_receiver.calls) == 1


def test_a_certificate_of_an_unknown_authority_is_refused(tls_receiver: Receiver) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        call(f"https://localhost:{tls_receiver.port}/")
    assert tls_receiver.calls == []


@contextmanager
def dripping_server(drip: bytes, pause_seconds: float) -> Iterator[int]:
    """A server that slowly repeats the same bytes and never ends its answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def speak() -> None:
            client, _ = server.accept()
            with client:
                try:
                    while True:
                        client.sendall(drip)
                        time.sleep(pause_seconds)
                except OSError:
                    return

        thread = threading.Thread(target=speak, daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
    thread.join(5)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("drip", "pause_seconds"),
    [
        (b"H", 0.2),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 0.05),
        (b"\x16", 0.2),
        (HELLO_REQUEST_BYTE, 0.05),
    ],
)
def test_a_receiver_that_drips_is_hung_up_on(
    scheme: str, drip: bytes, pause_seconds: float
) -> None:
    with dripping_server(drip, pause_seconds) as port:
        began = time.monotonic()
        with pytest.raises((CallTimeout, ssl.SSLError, http.client.HTTPException)):
            call(f"{scheme}://localhost:{port}/", call_seconds=1.0)
        assert time.monotonic() - began < 3


def test_a_silent_receiver_is_hung_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        began = time.monotonic()
        with pytest.raises(CallTimeout):
            call(f"http://127.0.0.1:{server.getsockname()[1]}/", call_seconds=0.5)
        assert time.monotonic() - began < 3


def test_an_endless_head_is_not_kept() -> None:
    endless = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000
    with dripping_server(endless, 0.01) as port, pytest.raises(http.client.HTTPException):
        call(f"http://127.0.0.1:{port}/", call_seconds=5.0)
