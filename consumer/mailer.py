"""Sends the report mails that are due."""

import logging
import smtplib

from flask import Flask
from flask_mail import Mail

from config.log_context import logged_with
from config.settings import MailSettings
from consumer.delivery import deliver
from consumer.envelope import envelope, rejects_attachment
from consumer.report_mail import compose
from shared.jobs.models import Job, JobFault
from shared.jobs.outbox import REPORT_MAILS
from shared.storage.store import StoreUnavailable, UploadStore

logger = logging.getLogger(__name__)


class PostOffice:
    """Flask-Mail with the settings of this service."""

    def __init__(self, settings: MailSettings, store: UploadStore, public_url: str = "") -> None:
        self._settings = settings
        self._store = store
        self._public_url = public_url
        self._app = Flask("student-voter-system")
        self._app.config.update(
            MAIL_SERVER=settings.host,
            MAIL_PORT=settings.port,
            MAIL_USE_TLS=settings.use_tls,
            MAIL_USE_SSL=settings.use_ssl,
            MAIL_USERNAME=settings.user or None,
            MAIL_PASSWORD=settings.password or None,
            MAIL_DEFAULT_SENDER=settings.sender,
        )
        self._mail = Mail(self._app)

    def send_one(self) -> bool:
        """Send the report of one job that is due; False when there was none."""
        job = REPORT_MAILS.claim()
        if job is None:
            return False
        with logged_with(request_id=job.request_id):
            self._settle(job)
        return True

    def _settle(self, job: Job) -> None:
        if not self._settings.recipients:
            REPORT_MAILS.note_nobody(job.id, "No ADMIN_EMAIL is set.")
            return
        try:
            refused = self._send(job)
        except Exception as error:
            reason = type(error).__name__
            is_expected = isinstance(error, OSError | smtplib.SMTPException | StoreUnavailable)
            logger.warning(
                "mail not sent",
                extra={"job_id": str(job.id), "reason": reason},
                exc_info=None if is_expected else error,
            )
            REPORT_MAILS.note_unsent(job, reason)
        else:
            self._note_sent(job, refused)

    def _send(self, job: Job) -> list[int]:
        faults = (
            JobFault.select(JobFault.line, JobFault.code)
            .where(JobFault.job == job.id)
            .order_by(JobFault.number)
        )
        attached = rejects_attachment(job, self._store, self._settings.attachment_bytes)
        mail = compose(
            job,
            list(faults),
            link=f"{self._public_url}/admin/imports/{job.id}/" if self._public_url else "",
            is_attached=attached is not None,
        )
        with self._app.app_context():
            return deliver(self._mail, envelope(job, mail, self._settings, attached))

    def _note_sent(self, job: Job, refused: list[int]) -> None:
        """`refused` are the SMTP codes for those whom the mail server did not take."""
        if not refused:
            REPORT_MAILS.note_sent(job.id)
        else:
            recipients = len(self._settings.recipients)
            codes = sorted(set(refused))
            shown = ", ".join(map(str, codes))
            REPORT_MAILS.note_sent(
                job.id, f"{len(refused)} of {recipients} recipients refused (SMTP {shown})"
            )
            logger.warning(
                "recipients refused",
                extra={
                    "job_id": str(job.id),
                    "recipients": recipients,
                    "refused": len(refused),
                    "smtp_codes": codes,
                },
            )
        logger.info("mail sent", extra={"job_id": str(job.id)})
