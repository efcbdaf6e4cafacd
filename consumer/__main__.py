"""`python -m consumer`: run one worker until SIGTERM or Ctrl-C."""

import logging
import socket
import sys

from config.advice import give_advice
from config.process import begin_process
from config.settings import SettingsError, load_settings
from consumer.lasting_thread import LastingThread
from consumer.mail.sender import MailSender
from consumer.sweeper import Sweeper
from consumer.webhook.sender import WebhookSender
from consumer.worker import Worker
from shared.database.connection import ANSWER_SECONDS, open_database
from shared.storage.choice import open_store

logger = logging.getLogger(__name__)


def main() -> int:
    """Run a worker and return the exit status of the process."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    begin_process(settings)
    give_advice(settings)
    # Bounds the sockets of libraries that set no timeout themselves.
    socket.setdefaulttimeout(settings.mail.timeout_seconds)
    open_database(settings.database_url, answer_seconds=ANSWER_SECONDS)
    poll_seconds = settings.poll_seconds
    mail_sender = MailSender(settings.mail, open_store(settings.upload_store), settings.public_url)
    threads = (
        LastingThread("mailer", mail_sender.send_one, poll_seconds),
        LastingThread("webhook sender", WebhookSender(settings.webhook).send_one, poll_seconds),
        Sweeper(settings),
    )
    for beside in threads:
        beside.start()
    Worker(settings, threads).run()
    for beside in threads:
        beside.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
