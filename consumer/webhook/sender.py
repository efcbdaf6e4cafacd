"""The webhook sender, which reports finished jobs to WEBHOOK_URL."""

import http.client
import json

from config.settings import WebhookSettings
from consumer.errors import NobodyToTell, NotTaken
from consumer.outbox import Sender
from consumer.webhook.call import headers_of, post
from shared.database.sql import now_seconds
from shared.jobs.models import OutboxEntry
from shared.jobs.states import Channel
from shared.jobs.status_document import describe


class WebhookSender(Sender):
    """Makes the calls that are due, one at a time."""

    channel = Channel.WEBHOOK
    sent_text = "webhook sent"
    unsent_text = "webhook not sent"
    faults = (OSError, http.client.HTTPException)

    def __init__(self, settings: WebhookSettings) -> None:
        self._settings = settings

    def send(self, entry: OutboxEntry) -> None:
        """Make the call. Raises `NotTaken` for an answer other than 2xx, such as a redirect."""
        if not self._settings.url:
            raise NobodyToTell("No WEBHOOK_URL is set.")
        job = entry.job
        body = json.dumps(describe(job), ensure_ascii=False).encode()
        headers = headers_of(
            body, call_id=str(job.id), timestamp=int(now_seconds()), secret=self._settings.secret
        )
        status = post(self._settings.url, body, headers, allow_private=self._settings.allow_private)
        if not 200 <= status < 300:
            raise NotTaken(f"HTTP {status}")
