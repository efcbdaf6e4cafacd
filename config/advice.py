"""Warnings at the start of a process: settings that may be intended, but are rarely right."""

import logging

from config.settings import Settings

logger = logging.getLogger(__name__)


def give_advice(settings: Settings) -> None:
    """Log a warning for each setting that a deployed service should think about."""
    if not settings.debug and settings.upload_store.startswith("file:"):
        logger.warning(
            "UPLOAD_STORE is a folder: web and workers must share its disk. If they do not,"
            " use database: or a bucket"
        )
