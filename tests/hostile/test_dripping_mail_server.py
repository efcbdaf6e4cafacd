"""A mail server that sends one byte at a time and never ends."""

import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest
from flask import Flask
from flask_mail import Mail, Message

from config.settings import MailSettings
from consumer.errors import DeliveryTimeout
from consumer.mail.delivery import STEPS, deliver

# The time between two bytes, much shorter than the timeout for one byte.
DRIP_SECONDS = 0.1
PATIENCE_SECONDS = 0.5
SETTINGS = MailSettings(
    host="127.0.0.1",
    port=0,
    use_tls=False,
    use_ssl=False,
    user="",
    password="",
    sender="roll@example.edu",
    recipients=("a@example.edu",),
    timeout_seconds=PATIENCE_SECONDS,
    attachment_bytes=0,
)


@contextmanager
def dripping_server(said_at_once: list[bytes]) -> Iterator[int]:
    """A server that gives one of these answers for each command, and then sends slowly."""
    is_over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError), listener.accept()[0] as client:
            for answer in said_at_once:
                client.sendall(answer)
                client.recv(65_536)
            client.sendall(b"250-")
            while not is_over.wait(DRIP_SECONDS):
                client.sendall(b"x")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        is_over.set()
        listener.close()
        thread.join(20)


@pytest.mark.parametrize(
    "said_at_once",
    [
        pytest.param([], id="greeting"),
        pytest.param([b"220 hello\r\n"], id="EHLO"),
        pytest.param([b"220 hello\r\n", b"250 yes\r\n", b"250 yes\r\n"], id="RCPT"),
    ],
)
def test_the_whole_dialogue_has_an_end(said_at_once: list[bytes]) -> None:
    app = Flask(__name__)
    Mail(app)
    with dripping_server(said_at_once) as port, app.app_context():
        message = Message("A report", recipients=["a@example.edu"], body="x", sender="b@x.edu")
        began_at = time.monotonic()
        with pytest.raises(DeliveryTimeout):
            deliver(replace(SETTINGS, port=port), message)
        # Without the deadline, smtplib reads up to 8,192 such bytes in one line, for 15 minutes.
        assert time.monotonic() - began_at < 10 * STEPS * PATIENCE_SECONDS


def test_a_server_that_says_nothing_is_given_up_after_one_step() -> None:
    app = Flask(__name__)
    Mail(app)
    with socket.create_server(("127.0.0.1", 0)) as silent, app.app_context():
        message = Message("A report", recipients=["a@example.edu"], body="x", sender="b@x.edu")
        port = int(silent.getsockname()[1])
        with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
            deliver(replace(SETTINGS, port=port), message)
