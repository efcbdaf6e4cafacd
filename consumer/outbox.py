"""Sending from an outbox: claim one entry, send it, record the outcome."""

import logging
from abc import ABC, abstractmethod
from typing import ClassVar

from config.log_context import logged_with
from consumer.errors import NobodyToTell, NotTaken
from shared.jobs import outbox
from shared.jobs.models import OutboxEntry
from shared.jobs.states import Channel

logger = logging.getLogger(__name__)


class Sender(ABC):
    """Sends messages about finished jobs.

    `send_one` raises no errors of a receiver. It does raise those of the database.
    """

    channel: ClassVar[Channel]
    # The events in the log.
    sent_text: ClassVar[str]
    unsent_text: ClassVar[str]
    # Errors of a receiver or of the connection. Any other is a bug, logged with its traceback.
    faults: ClassVar[tuple[type[Exception], ...]]

    def send_one(self) -> bool:
        """Send one entry that is due. Returns False if there is none."""
        entry = outbox.claim(self.channel)
        if entry is None:
            return False
        with logged_with(request_id=entry.job.request_id, job_id=str(entry.job.id)):
            self._settle(entry)
        return True

    def _settle(self, entry: OutboxEntry) -> None:
        try:
            remark = self.send(entry)
        except NobodyToTell as error:
            outbox.note_nobody(entry, str(error))
        except Exception as error:
            reason = str(error) if isinstance(error, NotTaken) else type(error).__name__
            is_expected = isinstance(error, (NotTaken, *self.faults))
            logger.warning(
                self.unsent_text, extra={"reason": reason}, exc_info=None if is_expected else error
            )
            outbox.note_unsent(entry, reason)
        else:
            outbox.note_sent(entry, remark)
            logger.info(self.sent_text)

    @abstractmethod
    def send(self, entry: OutboxEntry) -> str | None:
        """Send the mail or call about the entry's job. Return a remark for the entry, or None.

        Raises `NobodyToTell`, `NotTaken`, and the errors of the connection.
        """
