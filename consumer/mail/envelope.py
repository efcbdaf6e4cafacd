"""A report mail as it is handed to the mail server: headers, thread, and the rejects file."""

from email.charset import QP, Charset
from uuid import UUID

from flask_mail import Attachment, Message

from config.settings import MailSettings
from consumer.mail.report import ReportMail
from shared.jobs.models import Job
from shared.storage.store import FileLost, UploadStore

# Nobody's holiday note need answer a machine: RFC 3834, and Microsoft's own header.
NO_AUTOMATIC_ANSWERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
# Flask-Mail would send a body as it is. Servers refuse one with a line of more than 998 bytes
# (RFC 5322, 2.1.1), and a list of columns, or a file name, can make such a line of HTML.
SHORT_LINES = Charset("utf-8")
SHORT_LINES.body_encoding = QP


def envelope(
    job: Job, mail: ReportMail, settings: MailSettings, attached: Attachment | None
) -> Message:
    """The message of a job's report; call it inside the app of Flask-Mail.

    A mail that is tried again has the same Message-ID, so that who gets it twice sees it once. All
    mails about one file stand in one thread: a preview, its import, a report sent again.
    """
    domain = settings.sender.rpartition("@")[2].rstrip(">") or "localhost"
    first = _message_id(job.id, domain)
    is_again = job.report_mail_sent_at is not None
    earlier = [_message_id(other, domain) for other in (job.preview_of, job.retry_of) if other]
    earlier += [first] if is_again else []
    headers = dict(NO_AUTOMATIC_ANSWERS)
    if earlier:
        headers |= {"References": " ".join(earlier), "In-Reply-To": earlier[-1]}
    message = Message(
        _plain_subject(mail.subject),
        recipients=[*settings.recipients],
        body=mail.text,
        html=mail.html,
        extra_headers=headers,
        attachments=[attached] if attached else None,
        charset=SHORT_LINES,  # type: ignore[arg-type] # handed on to email, which takes both
    )
    message.msgId = _message_id(job.id, domain, _request_of(job) if is_again else "")
    return message


def _plain_subject(subject: str) -> str:
    """The same without what begins an encoded word (RFC 2047).

    A file may be called `=?utf-8?q?roll=0D=0ABcc:_...?=`. Python's email package decodes it where
    it folds the header, and the line break within becomes one of the mail's own.
    """
    return subject.replace("=?", "= ?")


def rejects_attachment(job: Job, store: UploadStore, most_bytes: int) -> Attachment | None:
    """The rejects file of a job as an attachment, None when there is none or it is too large."""
    if not job.rejects_key or job.files_purged_at is not None:
        return None
    try:
        file = store.open(job.rejects_key)
    except FileLost:
        return None
    with file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        return None
    return Attachment(f"rejects-{job.id}.csv", "text/csv", content)


def _request_of(job: Job) -> str:
    """What all tries of one request to send a report again have in common."""
    asked_at = job.report_mail_asked_at
    return f"-{asked_at:%Y%m%d%H%M%S%f}" if asked_at else f"-{job.report_mail_attempts}"


def _message_id(job_id: UUID, domain: str, again: str = "") -> str:
    return f"<report-{job_id}{again}@{domain}>"
