"""`python -m dev.mail_sink`: an SMTP server that saves every mail in `var/mail/`."""

import asyncio
import logging
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from aiosmtpd.smtp import SMTP, Envelope, Session

from config.process import begin_process
from config.settings import PROJECT_ROOT, SettingsError, load_settings

logger = logging.getLogger(__name__)

MAIL_FOLDER = PROJECT_ROOT / "var" / "mail"
HOST = "127.0.0.1"


class MailFolder:
    """Saves each mail as one file. A file with the suffix `.eml` is always complete."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Save the mail and return the SMTP answer."""
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S%f}-{uuid4().hex[:8]}"
        draft = self.folder / f"{name}.part"
        draft.write_bytes(envelope.original_content or b"")
        draft.rename(draft.with_suffix(".eml"))
        logger.info("mail kept", extra={"file": f"{name}.eml"})
        return "250 OK"


async def serve(folder: Path, port: int) -> None:
    """Accept mails until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    mails = MailFolder(folder)
    server = await loop.create_server(lambda: SMTP(mails), HOST, port)
    async with server:
        logger.info("mail sink listens", extra={"port": port})
        await stop.wait()


def main() -> int:
    """Run the server and return the exit status of the process."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    begin_process(settings)
    # aiosmtpd's INFO lines repeat every command of the dialogue, with email addresses.
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    try:
        asyncio.run(serve(MAIL_FOLDER, settings.mail.port))
    except OSError as error:
        sys.stderr.write(f"Cannot receive mail on port {settings.mail.port}: {error.strerror}.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
