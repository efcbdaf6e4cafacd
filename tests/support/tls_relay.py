"""TLS in front of RabbitMQ or PostgreSQL, with certificates of a test authority."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import trustme

BLOCK_BYTES = 65_536
# PostgreSQL's clients first ask for TLS in plain text. The answer "S" accepts. (Source: its
# protocol, "SSL Session Encryption".)
SSL_REQUEST_BYTES = 8


@contextmanager
def tls_relay(url: str, authority: trustme.CA, host: str) -> Iterator[int]:
    """Relay TLS to the server of a URL, with a certificate for `host`.

    Yields the port on 127.0.0.1.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    server = urlsplit(url)

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that refuses the certificate closes the connection, which is not an error here.
        with suppress(OSError, asyncio.IncompleteReadError):
            if server.scheme == "postgresql":
                await reader.readexactly(SSL_REQUEST_BYTES)
                writer.write(b"S")
            await writer.start_tls(context)
            far_reader, far_writer = await asyncio.open_connection(server.hostname, server.port)
            await asyncio.gather(_pass_on(reader, far_writer), _pass_on(far_reader, writer))

    loop = asyncio.new_event_loop()
    listener = loop.run_until_complete(asyncio.start_server(relay, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield int(listener.sockets[0].getsockname()[1])
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(_close(listener))
        loop.close()


async def _pass_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while block := await source.read(BLOCK_BYTES):
            sink.write(block)
            await sink.drain()
    sink.close()


async def _close(listener: asyncio.Server) -> None:
    listener.close()
    connections = asyncio.all_tasks() - {asyncio.current_task()}
    for connection in connections:
        connection.cancel()
    await asyncio.gather(*connections, return_exceptions=True)
