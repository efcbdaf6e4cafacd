"""The sender of the report mails that are due."""

import logging
import smtplib

from flask import Flask
from flask_mail import Mail

from config.settings import MailSettings
from consumer.errors import NobodyToTell
from consumer.mail.delivery import deliver
from consumer.mail.envelope import envelope, rejects_attachment
from consumer.mail.report import compose
from consumer.outbox import Sender
from shared.jobs.models import JobFault, OutboxEntry
from shared.jobs.states import Channel
from shared.storage.errors import StoreUnavailable
from shared.storage.store import UploadStore

logger = logging.getLogger(__name__)


class MailSender(Sender):
    """Sends report mails: Flask-Mail makes them, `consumer.mail.delivery` delivers them."""

    channel = Channel.MAIL
    sent_text = "mail sent"
    unsent_text = "mail not sent"
    faults = (OSError, smtplib.SMTPException, StoreUnavailable)

    def __init__(self, settings: MailSettings, store: UploadStore, public_url: str = "") -> None:
        self._settings = settings
        self._store = store
        self._public_url = public_url
        self._app = Flask("student-voter-system")
        self._app.config["MAIL_DEFAULT_SENDER"] = settings.sender
        Mail(self._app)

    def send(self, entry: OutboxEntry) -> str | None:
        """Send the report. The remark says how many recipients the mail server refused."""
        if not self._settings.recipients:
            raise NobodyToTell("No ADMIN_EMAIL is set.")
        job = entry.job
        faults = (
            JobFault.select(JobFault.line, JobFault.code)
            .where(JobFault.job == job.id)
            .order_by(JobFault.number)
        )
        attachment = rejects_attachment(job, self._store, self._settings.attachment_bytes)
        mail = compose(
            job,
            list(faults),
            link=f"{self._public_url}/admin/imports/{job.id}/" if self._public_url else "",
            is_attached=attachment is not None,
        )
        with self._app.app_context():
            smtp_codes = deliver(self._settings, envelope(entry, mail, self._settings, attachment))
        return self._remark(smtp_codes) if smtp_codes else None

    def _remark(self, smtp_codes: list[int]) -> str:
        """Log and describe the refused recipients. `refused` holds the SMTP code of each."""
        recipients = len(self._settings.recipients)
        codes = sorted(set(smtp_codes))
        logger.warning(
            "recipients refused",
            extra={"recipients": recipients, "refused": len(smtp_codes), "smtp_codes": codes},
        )
        text = ", ".join(map(str, codes))
        return f"{len(smtp_codes)} of {recipients} recipients refused (SMTP {text})"
