"""The outbox against a real SMTP server on loopback."""

import socket
from asyncio import Transport
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from config.settings import MailSettings
from consumer.mailer import PostOffice
from shared.database import clock, database
from shared.jobs import attempts
from shared.jobs import store as jobs
from shared.jobs.attempts import Claim
from shared.jobs.models import Job
from shared.jobs.states import MailState
from shared.jobs.store import StoredFile
from shared.roll.report import Report

pytestmark = pytest.mark.usefixtures("any_database")

FILE = StoredFile(key="k", name="roll.csv", size_bytes=3, sha256="0" * 64, format="csv")
BAD_ADDRESS = "gone@example.edu"


class MailServer:
    """Keeps what it gets and refuses one address; rude, it breaks off at the good-bye."""

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


def post_office(port: int, *recipients: str) -> PostOffice:
    return PostOffice(
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
        )
    )


def finished_job() -> Claim:
    claim = jobs.create_started(
        FILE, uploaded_by="tests", dry_run=False, worker="w", lease_seconds=30
    )
    with database.atomic():
        attempts.finish(claim, Report(rows_read=1, created=1).to_dict(), [])
    return claim


def job_of(claim: Claim) -> Job:
    job = jobs.find(claim.job_id)
    assert job is not None
    return job


def test_a_due_mail_reaches_every_admin_once(mail_server: tuple[MailServer, int]) -> None:
    server, port = mail_server
    claim = finished_job()
    office = post_office(port, "a@example.edu", "b@example.edu")
    assert office.send_one() is True
    assert office.send_one() is False
    [(recipients, mail)] = server.mails
    assert sorted(recipients) == ["a@example.edu", "b@example.edu"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "1 of 1 rows" in mail.get_content()
    assert job_of(claim).report_mail == MailState.SENT


def test_one_bad_address_does_not_keep_the_mail_from_the_others(
    mail_server: tuple[MailServer, int], caplog: pytest.LogCaptureFixture
) -> None:
    server, port = mail_server
    claim = finished_job()
    post_office(port, BAD_ADDRESS, "b@example.edu").send_one()
    assert [recipients for recipients, _ in server.mails] == [["b@example.edu"]]
    job = job_of(claim)
    assert job.report_mail == MailState.SENT
    assert job.report_mail_error == "1 of 2 recipients refused (SMTP 550)"
    [record] = [one for one in caplog.records if one.levelname == "WARNING"]
    told = {name: vars(record)[name] for name in ("job_id", "recipients", "refused", "smtp_codes")}
    assert told == {
        "job_id": str(job.id), "recipients": 2, "refused": 1, "smtp_codes": [550]
    }  # fmt: skip
    assert "@" not in str(vars(record))


def test_a_server_that_breaks_off_after_the_mail_does_not_get_it_again(
    mail_server: tuple[MailServer, int],
) -> None:
    server, port = mail_server
    server.is_rude = True
    claim = finished_job()
    office = post_office(port, "a@example.edu")
    assert office.send_one() is True
    assert office.send_one() is False
    assert len(server.mails) == 1
    assert job_of(claim).report_mail == MailState.SENT


def test_a_mail_server_that_is_away_leaves_the_job_as_it_is_and_the_mail_due_later() -> None:
    claim = finished_job()
    office = post_office(1, "a@example.edu")
    assert office.send_one() is True
    assert office.send_one() is False
    job = job_of(claim)
    assert (job.state, job.report_mail) == ("SUCCESS", MailState.PENDING)
    assert job.report_mail_error == "ConnectionRefusedError"
    assert job.report_mail_attempts == 1


def test_a_mail_is_given_up_after_a_day() -> None:
    claim = finished_job()
    Job.update(finished_at=clock(-25 * 3600.0)).execute()
    post_office(1, "a@example.edu").send_one()
    assert job_of(claim).report_mail == MailState.FAILED


def test_a_sender_that_died_leaves_the_mail_due_again(mail_server: tuple[MailServer, int]) -> None:
    server, port = mail_server
    finished_job()
    Job.update(report_mail_due_at=clock(-1), report_mail_attempts=1).execute()
    assert post_office(port, "a@example.edu").send_one() is True
    assert len(server.mails) == 1


def test_without_recipients_there_is_no_mail() -> None:
    claim = finished_job()
    assert post_office(1).send_one() is True
    assert job_of(claim).report_mail == MailState.NONE
