"""Connect to the broker: RabbitMQ, or the embedded one of a laptop."""

from typing import Any

from kombu.connection import Connection
from kombu.transport import filesystem, virtual

from config.settings import PROJECT_ROOT

HEARTBEAT_SECONDS = 10
# A worker that waits for a hung broker does not look into the jobs table.
CONSUMER_CONNECT_SECONDS = 2.0
# A hung broker must not delay a caller that waits for its response, for example to stop consuming.
READ_SECONDS = 1.0
FILESYSTEM_POLL_SECONDS = 0.2


def consumer_connection(broker_url: str) -> Connection:
    """Return a connection for a worker, not yet established."""
    return connection_to(
        broker_url, heartbeat=HEARTBEAT_SECONDS, connect_timeout=CONSUMER_CONNECT_SECONDS
    )


class EmbeddedTransport(filesystem.Transport):
    """kombu's filesystem transport with its own state of bindings.

    kombu keeps the bindings once for all folders of a process. A second folder would get none, and
    its messages would be lost.
    """

    def __init__(self, client: Connection, **options: Any) -> None:
        super().__init__(client, **options)  # type: ignore[no-untyped-call]
        self.state = virtual.BrokerState()


def connection_to(url: str, **options: Any) -> Connection:
    """Return a connection to the broker of the URL.

    `filesystem://FOLDER` is the embedded broker, relative to the project. Every other URL is AMQP.
    """
    kind, _, place = url.partition("://")
    if kind != "filesystem":
        options["transport_options"] = {"confirm_publish": True, "read_timeout": READ_SECONDS}
        if kind == "amqps":
            # kombu sets the URL's host here. Without it, py-amqp accepts a certificate that any
            # known authority has issued to anyone.
            options["ssl"] = {"server_hostname": None}
        return Connection(url, **options)
    folder = PROJECT_ROOT / place
    (folder / "messages").mkdir(parents=True, exist_ok=True)
    return Connection(
        transport=EmbeddedTransport,
        transport_options={
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "polling_interval": FILESYSTEM_POLL_SECONDS,
        },
    )
