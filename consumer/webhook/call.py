"""One webhook call: signed, to a checked IP address, with time limits, without redirects.

The signature follows standardwebhooks.com. Its key is the bytes of the secret.
"""

import base64
import hashlib
import hmac
import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import urlsplit

from consumer.errors import CallTimeout
from consumer.shutdown_deadline import hung_up_after
from consumer.webhook.public_addresses import addresses_of

CONNECT_SECONDS = 5.0
# From the connection to the last header of the answer. http.client bounds the size of the headers.
CALL_SECONDS = 15.0
USER_AGENT = "student-voter-system"
DEFAULT_PORTS = {"http": http.client.HTTP_PORT, "https": http.client.HTTPS_PORT}


def headers_of(body: bytes, *, call_id: str, timestamp: int, secret: str) -> dict[str, str]:
    """The headers by which a receiver recognises a genuine call and detects a replay."""
    content = f"{call_id}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), content, hashlib.sha256).digest()
    return {
        "webhook-id": call_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def post(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_private: bool,
    connect_seconds: float = CONNECT_SECONDS,
    call_seconds: float = CALL_SECONDS,
) -> int:
    """Send a JSON body and return the status of the answer. The answer's body is not read.

    Raises OSError (AddressRefused, CallTimeout, ssl.SSLError) or http.client.HTTPException.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]
    addresses = addresses_of(host, port, allow_private=allow_private)
    context = ssl.create_default_context() if parts.scheme == "https" else None
    connection = _PinnedConnection(host, port, addresses, context)
    connection.connect_seconds, connection.timeout = connect_seconds, call_seconds
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own_headers = {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "Connection": "close",
    }
    with _time_limit(connection, call_seconds):
        connection.request("POST", target, body=body, headers={**own_headers, **headers})
        return connection.getresponse().status


class _PinnedConnection(http.client.HTTPConnection):
    """A connection to the given IP addresses, without another lookup of the host name."""

    connect_seconds = CONNECT_SECONDS

    def __init__(
        self, host: str, port: int, addresses: list[str], context: ssl.SSLContext | None
    ) -> None:
        super().__init__(host, port)
        self.default_port = DEFAULT_PORTS["https" if context else "http"]
        self._addresses = addresses
        self._context = context

    def connect(self) -> None:
        """Connect to the first IP address that answers. With TLS, verify the host name."""
        plain_socket = self._connect_plainly()
        plain_socket.settimeout(self.timeout)
        self.sock = plain_socket
        if self._context is not None:
            # The handshake comes after the assignment, so the deadline can interrupt it.
            tls_socket = self._context.wrap_socket(
                plain_socket, server_hostname=self.host, do_handshake_on_connect=False
            )
            self.sock = tls_socket
            tls_socket.do_handshake()

    def _connect_plainly(self) -> socket.socket:
        until = time.monotonic() + self.connect_seconds
        failure: OSError = CallTimeout("no address of the host answers")
        for address in self._addresses:
            left_seconds = until - time.monotonic()
            if left_seconds <= 0:
                break
            try:
                return socket.create_connection((address, self.port), timeout=left_seconds)
            except OSError as error:
                failure = error
        raise failure


@contextmanager
def _time_limit(connection: _PinnedConnection, seconds: float) -> Iterator[None]:
    """End the block with `CallTimeout` after `seconds`, even if the receiver keeps sending."""
    try:
        with hung_up_after(seconds, lambda: connection.sock) as is_over:
            yield
    except (OSError, http.client.HTTPException) as error:
        if is_over.is_set() or isinstance(error, TimeoutError):
            raise CallTimeout("the receiver took too long") from error
        raise
    finally:
        connection.close()
