"""An SMTP server on loopback that counts the report mails of each job."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from uuid import UUID

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

TASK_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")


class Inbox:
    """Counts mails by the job id in their text."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.mails: Counter[UUID] = Counter()

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Accept and count a mail."""
        content = envelope.content
        if isinstance(content, bytes):
            mail = message_from_bytes(content, policy=policy.default)
            if text := mail.get_body(("plain",)):
                task_ids = TASK_ID.findall(text.get_content())
                self.mails.update({UUID(task_id) for task_id in task_ids})
        return "250 OK"

    @contextmanager
    def open(self) -> Iterator[None]:
        """Receive mails while the block runs."""
        controller = Controller(self, hostname="127.0.0.1", port=self.port)
        controller.start()
        try:
            yield
        finally:
            controller.stop()
