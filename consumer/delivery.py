"""One mail handed to the mail server, and whom it would not take it for."""

import smtplib
from contextlib import suppress

from flask_mail import BadHeaderError, Mail, Message, sanitize_address, sanitize_addresses


def deliver(mail: Mail, message: Message) -> list[int]:
    """Send a mail to those whom the server takes; returns the SMTP code of each refused recipient.

    Flask-Mail's own `send` throws this answer of `smtplib.SMTP.sendmail` away. Raises what that
    raises, such as `SMTPRecipientsRefused` when nobody is taken.
    """
    if message.has_bad_headers():
        raise BadHeaderError
    host: smtplib.SMTP = mail.connect().configure_host()
    try:
        refused = host.sendmail(
            sanitize_address(message.sender),
            sanitize_addresses(message.send_to),
            message.as_bytes(),
        )
    finally:
        # The mail is out, or the fault is known: how the server takes the good-bye changes neither.
        with suppress(OSError):
            host.quit()
        host.close()
    return sorted(code for code, _ in refused.values())
