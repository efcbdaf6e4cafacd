"""The name of an uploaded file appears in mails and downloads, but cannot add headers to them."""

import re
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from urllib.parse import quote

import pytest
from flask import Flask
from werkzeug.http import parse_options_header

from config.settings import Settings
from consumer.mail.sender import MailSender
from shared.access.scopes import Scope
from shared.database.connection import database
from shared.storage.choice import open_store
from tests.support.api_client import HEADER, ApiClient
from tests.support.application import client_of
from tests.support.job_runs import run_due_jobs
from tests.support.running import ADMIN, Inbox

ROWS = HEADER + b"1,Ann,Lee,ann@x.edu,Law,3,yes\n2,Bob,Ray,nobody,Law,3,yes\n"
# File names, each with the name under which a browser saves the download.
NAMES = {
    "roll.csv": "roll.csv",
    "Wähler 2027; 日本.TXT": "Wähler 2027; 日本.TXT",
    "roll.csv\r\nBcc: thief@example.net\r\n\r\nGo to evil.example": (
        "roll.csv__Bcc: thief@example.net____Go to evil.example.csv"
    ),
    "=?utf-8?q?roll=0D=0ABcc:_thief@example.net?=": (
        "=?utf-8?q?roll=0D=0ABcc:_thief@example.net?=.csv"
    ),
    "ä=?utf-8?b?DQpCY2M6IHRoaWVmQGV4YW1wbGUubmV0?=.csv": (
        "ä=?utf-8?b?DQpCY2M6IHRoaWVmQGV4YW1wbGUubmV0?=.csv"
    ),
    "roll\0\x7f\x85\u2028\u2029\ufeff.csv": "roll______.csv",
    "\u202evsc.atd\u2066": "_vsc.atd_.csv",
    'roll"; filename="evil.html': 'roll"; filename="evil.html.csv',
    "../../etc/passwd": "passwd.csv",
    "..\\..\\evil.exe": "evil.exe.csv",
    "😀" * 300: "😀" * 255 + ".csv",
    "x" * 3000: "x" * 255 + ".csv",
}
REJECTS = re.compile(r"rejects-[0-9a-f-]{36}\.csv")
MAIL_HEADERS = [
    "Content-Type", "MIME-Version", "Subject", "From", "To", "Date", "Message-ID",
    "Auto-Submitted", "X-Auto-Response-Suppress",
]  # fmt: skip


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with Inbox().open() as opened:
        yield opened


@pytest.fixture
def tasks(app: Flask, admin: ApiClient) -> dict[str, str]:
    """A finished job with a rejected row for each name, by job id."""
    accepted = {upload(admin, name): name for name in NAMES}
    run_due_jobs(app)
    return accepted


@pytest.fixture
def admin(app: Flask) -> ApiClient:
    return client_of(app, Scope.ADMIN)


def upload(client: ApiClient, name: str) -> str:
    """Upload a file whose name has any characters, encoded as in RFC 5987."""
    head = f"Content-Disposition: form-data; name=file; filename*=UTF-8''{quote(name, safe='')}"
    body = b"--x\r\n" + head.encode() + b"\r\n\r\n" + ROWS + b"\r\n--x--\r\n"
    content_type = "multipart/form-data; boundary=x"
    accepted = client.send("POST", "/api/upload/", data=body, content_type=content_type)
    assert accepted.status_code == 202, accepted.get_json()
    return str(accepted.get_json()["task_id"])


def test_a_file_name_writes_no_header_of_its_mail(
    settings: Settings, inbox: Inbox, tasks: dict[str, str]
) -> None:
    outgoing = replace(settings.mail, host="127.0.0.1", port=inbox.port, recipients=(ADMIN,))
    office = MailSender(outgoing, open_store(settings.upload_store))
    while office.send_one():
        pass
    database.close()
    assert inbox.recipients == [[ADMIN]] * len(NAMES)
    mails = {name: inbox.mail_for(task_id) for task_id, name in tasks.items()}
    wrong = [mail.items() for mail in mails.values() if not is_sound(mail)]
    assert wrong == []


def is_sound(mail: EmailMessage) -> bool:
    """Whether a mail has only the usual headers and attachment, and a subject of plain text."""
    subject = str(mail["Subject"])
    attached = [attachment.get_filename() for attachment in mail.iter_attachments()]
    return (
        mail.keys() == MAIL_HEADERS
        and subject.startswith("[Voter roll] Imported: ")
        and subject.endswith(", 1 of 2 rows")
        and subject.isprintable()
        and [bool(REJECTS.fullmatch(str(name))) for name in attached] == [True]
    )


def test_a_file_comes_back_under_a_name_that_does_no_harm(
    admin: ApiClient, tasks: dict[str, str]
) -> None:
    shown = {}
    for task_id, name in tasks.items():
        with admin.get(f"/api/jobs/{task_id}/file") as answer:
            assert answer.mimetype == "application/octet-stream"
            shown[name] = parse_options_header(answer.headers["Content-Disposition"])
    assert shown == {name: ("attachment", {"filename": saved}) for name, saved in NAMES.items()}
