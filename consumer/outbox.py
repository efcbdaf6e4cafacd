"""One entry of an outbox at a time: claimed, sent, and noted what became of it."""

import logging
from abc import ABC, abstractmethod
from typing import ClassVar

from config.log_context import logged_with
from shared.jobs.models import Job
from shared.jobs.outbox import Outbox

logger = logging.getLogger(__name__)


class NobodyToTell(Exception):
    """The settings name nobody; the text says which is not set."""


class NotTaken(Exception):
    """The receiver has answered, and not with success; the text is fit for log and page."""


class Sender(ABC):
    """Tells of finished jobs. No fault of a receiver comes out of `send_one`; those of the database
    do."""

    outbox: ClassVar[Outbox]
    # What the log says.
    sent: ClassVar[str]
    unsent: ClassVar[str]
    # Faults of a receiver or of the way to it; any other is a defect and logged with its traceback.
    faults: ClassVar[tuple[type[Exception], ...]]

    def send_one(self) -> bool:
        """Send what is due for one job; False when there was none."""
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
        """Send it now; returns a remark for the job. Raises `NobodyToTell`, `NotTaken` and what the
        way there raises."""
