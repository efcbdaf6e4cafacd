"""Delivery of one mail to the mail server, which may refuse some of the recipients."""

import smtplib
from contextlib import suppress

from flask_mail import BadHeaderError, Message, sanitize_address, sanitize_addresses

from config.settings import MailSettings
from consumer.errors import DeliveryTimeout
from consumer.shutdown_deadline import hung_up_after

# EMAIL_TIMEOUT_SECONDS bounds one step, and a delivery has about ten. Its outbox entry is due again
# after two minutes, so this delivery must end before another worker begins one.
STEPS = 6
MAX_SECONDS = 100.0


def deliver(settings: MailSettings, message: Message) -> list[int]:
    """Send a mail and return the SMTP code of each recipient that the server refused.

    Flask-Mail's own `send` discards this answer of `smtplib.SMTP.sendmail`. It also waits without
    an end for a server that sends one byte at a time.

    Raises `DeliveryTimeout`, and what `sendmail` raises, such as `SMTPRecipientsRefused` if the
    server refuses every recipient.
    """
    if message.has_bad_headers():
        raise BadHeaderError
    seconds = min(STEPS * settings.timeout_seconds, MAX_SECONDS)
    host = (smtplib.SMTP_SSL if settings.use_ssl else smtplib.SMTP)(
        timeout=settings.timeout_seconds
    )
    try:
        with hung_up_after(seconds, lambda: host.sock) as is_over:
            return _dialogue(host, settings, message)
    except OSError as error:
        if is_over.is_set():
            raise DeliveryTimeout("the mail server took too long") from error
        raise
    finally:
        host.close()


def _dialogue(host: smtplib.SMTP, settings: MailSettings, message: Message) -> list[int]:
    # TLS verifies this host name. The constructor sets it only if it is given a host to connect to.
    host._host = settings.host  # type: ignore[attr-defined] # typeshed does not know it
    host.connect(settings.host, settings.port)
    if settings.use_tls:
        host.starttls()
    if settings.user and settings.password:
        host.login(settings.user, settings.password)
    answers = host.sendmail(
        sanitize_address(message.sender),
        sanitize_addresses(message.send_to),
        message.as_bytes(),
    )
    # The server has accepted the mail, so an error on QUIT changes nothing.
    with suppress(OSError):
        host.quit()
    return sorted(code for code, _ in answers.values())
