"""The report mail as a message for the mail server: headers, thread, and the rejects file."""

from email.charset import QP, Charset
from uuid import UUID

from flask_mail import Attachment, Message

from config.settings import MailSettings
from consumer.mail.report import ReportMail
from shared.jobs.models import Job, OutboxEntry
from shared.storage.errors import FileLost
from shared.storage.store import UploadStore

# Asks mail programs to send no automatic replies: RFC 3834, and Microsoft's own header.
NO_AUTOMATIC_ANSWERS = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
# Flask-Mail sends a body unencoded. A list of columns or a file name can make a line of HTML longer
# than 998 bytes, which mail servers refuse (RFC 5322, 2.1.1).
SHORT_LINES = Charset("utf-8")
SHORT_LINES.body_encoding = QP


def envelope(
    entry: OutboxEntry, mail: ReportMail, settings: MailSettings, attachment: Attachment | None
) -> Message:
    """The message of a job's report. Call it inside an app context of Flask-Mail.

    A retried mail has the same Message-ID, so a mail program can recognise the copy. All mails
    about one file are in one thread: a preview, its import, a report sent again.
    """
    job = entry.job
    domain = settings.sender.rpartition("@")[2].rstrip(">") or "localhost"
    first = _message_id(job.id, domain)
    is_again = entry.sent_at is not None
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
        attachments=[attachment] if attachment else None,
        charset=SHORT_LINES,  # type: ignore[arg-type] # handed on to email, which takes both
    )
    message.msgId = _message_id(job.id, domain, _request_of(entry) if is_again else "")
    return message


def _plain_subject(subject: str) -> str:
    """The subject without the characters that begin an encoded word (RFC 2047).

    A file name may be `=?utf-8?q?roll=0D=0ABcc:_...?=`. Python's email package decodes it when it
    folds the header. The line break in it would then add a header to the mail.
    """
    return subject.replace("=?", "= ?")


def rejects_attachment(job: Job, store: UploadStore, most_bytes: int) -> Attachment | None:
    """The rejects file of a job as an attachment, or None if it is missing or too large.

    It reads at most `most_bytes` + 1 bytes into memory.
    """
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


def _request_of(entry: OutboxEntry) -> str:
    """A suffix that all attempts of one request to send the report again share."""
    return f"-{entry.asked_at:%Y%m%d%H%M%S%f}"


def _message_id(job_id: UUID, domain: str, again: str = "") -> str:
    return f"<report-{job_id}{again}@{domain}>"
