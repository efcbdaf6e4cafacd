"""One mail handed to the mail server, and whom it would not take it for."""

import smtplib
from contextlib import suppress

from flask_mail import BadHeaderError, Message, sanitize_address, sanitize_addresses

from config.settings import MailSettings
from consumer.shutdown_deadline import hung_up_after

# EMAIL_TIMEOUT_SECONDS is for one step; a delivery has some ten. Its entry of the outbox is due
# again after two minutes, and nobody else may begin to send it before this one has ended.
STEPS = 6
MAX_SECONDS = 100.0


class DeliveryTimeout(TimeoutError):
    """The mail server took too long for the whole of a delivery."""


def deliver(settings: MailSettings, message: Message) -> list[int]:
    """Send a mail to those whom the server takes; returns the SMTP code of each refused recipient.

    Flask-Mail's own `send` throws this answer of `smtplib.SMTP.sendmail` away, and waits for ever
    for a server that sends a byte at a time. Raises what `sendmail` raises, such as
    `SMTPRecipientsRefused` when nobody is taken, and `DeliveryTimeout`.
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
    # What the constructor does when it connects at once, for the name in TLS.
    host._host = settings.host  # type: ignore[attr-defined] # typeshed does not know it
    host.connect(settings.host, settings.port)
    if settings.use_tls:
        host.starttls()
    if settings.user and settings.password:
        host.login(settings.user, settings.password)
    refused = host.sendmail(
        sanitize_address(message.sender),
        sanitize_addresses(message.send_to),
        message.as_bytes(),
    )
    # The mail is out: how the server takes the good-bye changes nothing.
    with suppress(OSError):
        host.quit()
    return sorted(code for code, _ in refused.values())
