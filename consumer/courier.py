"""Tells WEBHOOK_URL of finished jobs."""

import http.client
import json
import logging
import time

from config.log_context import logged_with
from config.settings import WebhookSettings
from consumer.webhook_call import headers_of, post
from shared.jobs.models import Job
from shared.jobs.outbox import WEBHOOK_CALLS
from shared.jobs.status_document import describe

logger = logging.getLogger(__name__)


class CallRefused(Exception):
    """The receiver has answered, and not with success; a redirect is none."""


class Courier:
    """Makes the calls that are due, one at a time."""

    def __init__(self, settings: WebhookSettings) -> None:
        self._settings = settings

    def call_one(self) -> bool:
        """Make one call that is due; False when there was none."""
        job = WEBHOOK_CALLS.claim()
        if job is None:
            return False
        with logged_with(request_id=job.request_id):
            self._settle(job)
        return True

    def _settle(self, job: Job) -> None:
        if not self._settings.url:
            WEBHOOK_CALLS.note_nobody(job.id, "No WEBHOOK_URL is set.")
            return
        try:
            self._call(job)
        except Exception as error:
            reason = str(error) if isinstance(error, CallRefused) else type(error).__name__
            is_expected = isinstance(error, OSError | http.client.HTTPException | CallRefused)
            logger.warning(
                "webhook not told",
                extra={"job_id": str(job.id), "reason": reason},
                exc_info=None if is_expected else error,
            )
            WEBHOOK_CALLS.note_unsent(job, reason)
        else:
            WEBHOOK_CALLS.note_sent(job.id)
            logger.info("webhook told", extra={"job_id": str(job.id)})

    def _call(self, job: Job) -> None:
        body = json.dumps(describe(job), ensure_ascii=False).encode()
        headers = headers_of(
            body, call_id=str(job.id), timestamp=int(time.time()), secret=self._settings.secret
        )
        status = post(self._settings.url, body, headers, allow_private=self._settings.allow_private)
        if not 200 <= status < 300:
            raise CallRefused(f"HTTP {status}")
