"""The mail sink for development saves the mails that it receives."""

import smtplib
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from dev.mail_sink import MailFolder
from tests.support.services import free_port


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    controller = Controller(MailFolder(tmp_path / "mail"), hostname="127.0.0.1", port=free_port())
    controller.start()
    yield controller.port
    controller.stop()


def test_each_mail_becomes_one_complete_file(port: int, tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@x.edu", "b@x.edu", "Rolle geprüft"
    mail.set_content("Émile\n")
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.send_message(mail)
        client.send_message(mail)
    kept = sorted((tmp_path / "mail").iterdir())
    assert [path.suffix for path in kept] == [".eml", ".eml"]
    read = message_from_bytes(kept[0].read_bytes(), policy=policy.default)
    assert read["Subject"] == "Rolle geprüft"
    assert read.get_content().splitlines() == ["Émile"]
