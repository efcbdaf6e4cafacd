"""The outbox of report mails with a real SMTP server on loopback."""

import socket
from asyncio import Transport
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from uuid import uuid4

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.settings import MailSettings
from consumer.mail.sender import MailSender
from shared.database.connection import database
from shared.database.sql import clock
from shared.jobs import jobs, transitions
from shared.jobs.claims import Claim
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, OutboxEntry
from shared.jobs.states import OutboxState
from shared.roll_file.report import Report
from shared.storage.choice import open_store
from shared.storage.object_store import ObjectStore
from shared.storage.store import UploadStore
from tests.support.object_server import environment
from tests.support.outbox_entries import mail_of, set_mails

pytestmark = pytest.mark.usefixtures("any_database")

ATTACHMENT_BYTES = 1000
STORE = open_store("database:")
FILE = StoredFile(key="k", name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")
BAD_ADDRESS = "gone@example.edu"


class MailServer:
    """Stores mails and refuses one recipient. If `is_rude`, it disconnects at QUIT."""

    def __init__(self) -> None:
        self.mails: list[tuple[list[str], EmailMessage]] = []
        self.is_rude = False

    async def handle_QUIT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.is_rude:
            assert isinstance(server.transport, Transport)
            server.transport.abort()
        return "221 Bye"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address == BAD_ADDRESS:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append((list(envelope.rcpt_tos), mail))
        return "250 OK"


@pytest.fixture
def mail_server() -> Iterator[tuple[MailServer, int]]:
    server = MailServer()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = int(probe.getsockname()[1])
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    yield server, port
    controller.stop()


def mail_sender(port: int, *recipients: str, store: UploadStore = STORE) -> MailSender:
    return MailSender(
        MailSettings(
            host="127.0.0.1",
            port=port,
            use_tls=False,
            use_ssl=False,
            user="",
            password="",
            sender="roll@example.edu",
            recipients=recipients,
            timeout_seconds=2.0,
            attachment_bytes=ATTACHMENT_BYTES,
        ),
        store,
        "https://voters.example.edu/roll",
    )


def finished_job(*, rejects: bytes | None = None, **values: object) -> Claim:
    claim = jobs.create_started(
        FILE, uploaded_by="tests", dry_run=False, worker="w", lease_seconds=30
    )
    key = None
    if rejects is not None:
        key = uuid4().hex
        with STORE.writer(key) as sink:
            sink.write(rejects)
    with database.atomic():
        transitions.finish(claim, Report(rows_read=1, created=1).to_dict(), [], rejects_key=key)
    if values:
        Job.update(values).where(Job.id == claim.job_id).execute()
    return claim


def job_of(claim: Claim) -> Job:
    job = jobs.find(claim.job_id)
    assert job is not None
    return job


def test_a_due_mail_reaches_every_admin_once(mail_server: tuple[MailServer, int]) -> None:
    server, port = mail_server
    claim = finished_job()
    office = mail_sender(port, "a@example.edu", "b@example.edu")
    assert office.send_one() is True
    assert office.send_one() is False
    [(recipients, mail)] = server.mails
    assert sorted(recipients) == ["a@example.edu", "b@example.edu"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "1 of 1 rows" in text_of(mail)
    assert mail_of(claim.job_id).state == OutboxState.SENT


def test_one_bad_address_does_not_keep_the_mail_from_the_others(
    mail_server: tuple[MailServer, int], caplog: pytest.LogCaptureFixture
) -> None:
    server, port = mail_server
    claim = finished_job()
    mail_sender(port, BAD_ADDRESS, "b@example.edu").send_one()
    assert [recipients for recipients, _ in server.mails] == [["b@example.edu"]]
    mail = mail_of(claim.job_id)
    assert mail.state == OutboxState.SENT
    assert mail.error == "1 of 2 recipients refused (SMTP 550)"
    [record] = [one for one in caplog.records if one.levelname == "WARNING"]
    told = {name: vars(record)[name] for name in ("recipients", "refused", "smtp_codes")}
    assert told == {
        "recipients": 2, "refused": 1, "smtp_codes": [550]
    }  # fmt: skip
    assert "@" not in str(vars(record))


def test_a_server_that_disconnects_after_the_mail_gets_it_once(
    mail_server: tuple[MailServer, int],
) -> None:
    server, port = mail_server
    server.is_rude = True
    claim = finished_job()
    office = mail_sender(port, "a@example.edu")
    assert office.send_one() is True
    assert office.send_one() is False
    assert len(server.mails) == 1
    assert mail_of(claim.job_id).state == OutboxState.SENT


def test_an_unavailable_mail_server_delays_the_mail_not_the_job() -> None:
    claim = finished_job()
    office = mail_sender(1, "a@example.edu")
    assert office.send_one() is True
    assert office.send_one() is False
    mail = mail_of(claim.job_id)
    assert (job_of(claim).state, mail.state) == ("SUCCESS", OutboxState.PENDING)
    assert (mail.error, mail.attempts) == ("ConnectionRefusedError", 1)


def test_a_mail_is_given_up_after_a_day() -> None:
    claim = finished_job()
    set_mails(asked_at=clock(-25 * 3600.0))
    mail_sender(1, "a@example.edu").send_one()
    assert mail_of(claim.job_id).state == OutboxState.FAILED


def test_a_report_that_is_sent_again_has_a_day_of_its_own() -> None:
    claim = finished_job()
    set_mails(state=OutboxState.SENT, sent_at=clock(), attempts=15, asked_at=clock(-48 * 3600.0))
    assert jobs.resend_report(claim.job_id)
    assert not jobs.resend_report(claim.job_id)
    office = mail_sender(1, "a@example.edu")
    office.send_one()
    mail = mail_of(claim.job_id)
    assert (mail.state, mail.attempts) == (OutboxState.PENDING, 1)
    # Makes only a mail due whose first attempt has failed.
    OutboxEntry.update(due_at=clock()).where(OutboxEntry.due_at < clock(10.0)).execute()
    assert office.send_one() is True
    set_mails(asked_at=clock(-25 * 3600.0), due_at=clock())
    office.send_one()
    assert mail_of(claim.job_id).state == OutboxState.FAILED


def test_sending_a_report_again_keeps_its_message_id(mail_server: tuple[MailServer, int]) -> None:
    server, _ = mail_server
    claim = finished_job()
    sent(mail_server)
    for _ in range(2):
        assert jobs.resend_report(claim.job_id)
        mail_sender(1, "a@example.edu").send_one()
        set_mails(due_at=clock())
        sent(mail_server)
        # As if the answer of the mail server had been lost.
        set_mails(state=OutboxState.PENDING, due_at=clock())
        sent(mail_server)
    ids = [mail["Message-ID"] for _, mail in server.mails]
    assert ids[1] == ids[2] != ids[3] == ids[4]
    assert len(set(ids)) == 3


def test_a_sender_that_died_leaves_the_mail_due_again(mail_server: tuple[MailServer, int]) -> None:
    server, port = mail_server
    finished_job()
    set_mails(due_at=clock(-1), attempts=1)
    assert mail_sender(port, "a@example.edu").send_one() is True
    assert len(server.mails) == 1


def test_without_recipients_there_is_no_mail() -> None:
    claim = finished_job()
    assert mail_sender(1).send_one() is True
    assert mail_of(claim.job_id).state == OutboxState.NONE


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def sent(mail_server: tuple[MailServer, int], *recipients: str) -> EmailMessage:
    server, port = mail_server
    mail_sender(port, *(recipients or ("a@example.edu",))).send_one()
    return server.mails[-1][1]


def test_a_mail_is_text_and_html_with_a_link_to_the_page(
    mail_server: tuple[MailServer, int],
) -> None:
    claim = finished_job()
    mail = sent(mail_server)
    link = f"https://voters.example.edu/roll/admin/imports/{claim.job_id}/"
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        assert link in body.get_content()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Message-ID"] == f"<report-{claim.job_id}@example.edu>"
    assert list(mail.iter_attachments()) == []


def test_the_rejected_rows_are_attached_while_they_are_few(
    mail_server: tuple[MailServer, int],
) -> None:
    rows = b"x" * ATTACHMENT_BYTES
    claim = finished_job(rejects=rows)
    [attached] = sent(mail_server).iter_attachments()
    assert attached.get_filename() == f"rejects-{claim.job_id}.csv"
    assert attached.get_content_type() == "text/csv"
    assert attached.get_payload(decode=True) == rows

    finished_job(rejects=rows + b"x")
    assert list(sent(mail_server).iter_attachments()) == []


def test_rejected_rows_that_are_gone_keep_no_mail_back(mail_server: tuple[MailServer, int]) -> None:
    claim = finished_job(rejects=b"x")
    STORE.delete(str(job_of(claim).rejects_key))
    assert list(sent(mail_server).iter_attachments()) == []


def test_the_mails_about_one_file_stand_in_one_thread(mail_server: tuple[MailServer, int]) -> None:
    preview = finished_job()
    first = sent(mail_server)
    applied = finished_job(preview_of=preview.job_id)
    second = sent(mail_server)
    assert second["References"] == second["In-Reply-To"] == first["Message-ID"]

    assert jobs.resend_report(applied.job_id)
    third = sent(mail_server)
    assert third["In-Reply-To"] == second["Message-ID"] != third["Message-ID"]
    assert third["References"] == f"{first['Message-ID']} {second['Message-ID']}"


def test_a_mail_that_is_tried_again_is_known_as_the_same(
    mail_server: tuple[MailServer, int],
) -> None:
    server, port = mail_server
    finished_job()
    mail_sender(port, "a@example.edu").send_one()
    set_mails(state=OutboxState.PENDING, sent_at=None, due_at=clock())
    mail_sender(port, "a@example.edu").send_one()
    first, again = (mail["Message-ID"] for _, mail in server.mails)
    assert first == again


def test_an_unavailable_store_delays_the_mail_and_is_not_quoted(
    mail_server: tuple[MailServer, int],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log does not quote the error text of the store."""
    server, port = mail_server
    for name, value in environment("http://127.0.0.1:1").items():
        monkeypatch.setenv(name, value)
    claim = finished_job(rejects=b"x")
    away = ObjectStore("s3://bucket/prefix", request_seconds=0.3)
    assert mail_sender(port, "a@example.edu", store=away).send_one() is True
    assert server.mails == []
    mail = mail_of(claim.job_id)
    assert (mail.state, mail.error) == (OutboxState.PENDING, "StoreUnavailable")
    assert "127.0.0.1" not in caplog.text
