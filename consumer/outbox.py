"""Sending from an outbox: claim one entry, send it, record the outcome."""

import logging
from abc import ABC, abstractmethod
from typing import ClassVar

from config.log_context import logged_with
from shared.jobs.models import Job
from shared.jobs.outbox import Outbox

logger = logging.getLogger(__name__)


class NobodyToTell(Exception):
    """The settings name no receiver. The text says which setting is missing."""


class NotTaken(Exception):
    """The receiver has answered with an error. The text may be shown in logs and on pages."""


class Sender(ABC):
    """Sends messages about finished jobs.

    `send_one` raises no errors of a receiver. It does raise those of the database.
    """

    outbox: ClassVar[Outbox]
    # The events in the log.
    sent: ClassVar[str]
    unsent: ClassVar[str]
    # Errors of a receiver or of the connection. Any other is a bug, logged with its traceback.
    faults: ClassVar[tuple[type[Exception], ...]]

    def send_one(self) -> bool:
        """Send what is due for one job. Returns False if nothing was due."""
        job = self.outbox.claim()
        if job is None:
            return False
        with logged_with(request_id=job.request_id, job_id=str(job.id)):
            self._settle(job)
        return True

    def _settle(self, job: Job) -> None:
        try:
            remark = self.send(job)
        except NobodyToTell as nobody:
            self.outbox.note_nobody(job.id, str(nobody))
        except Exception as error:
            reason = str(error) if isinstance(error, NotTaken) else type(error).__name__
            is_expected = isinstance(error, (NotTaken, *self.faults))
            logger.warning(
                self.unsent, extra={"reason": reason}, exc_info=None if is_expected else error
            )
            self.outbox.note_unsent(job, reason)
        else:
            self.outbox.note_sent(job.id, remark)
            logger.info(self.sent)

    @abstractmethod
    def send(self, job: Job) -> str | None:
        """Send the message about a job, and return a remark for the job or None.

        Raises `NobodyToTell`, `NotTaken`, and the errors of the connection.
        """
