"""Gunicorn's own log lines, in the form of ours."""

from typing import Any

from gunicorn.glogging import Logger

from config.logging import formatter
from config.settings import SettingsError, load_settings


class WebLog(Logger):  # type: ignore[misc]
    """Gunicorn's logger, which `config.gunicorn` names."""

    def setup(self, cfg: Any) -> None:
        """Set the form of the lines. Gunicorn calls this in the arbiter, before it logs."""
        super().setup(cfg)
        try:
            settings = load_settings()
        except SettingsError:
            # The arbiter is about to reject these settings, with a message in plain text.
            return
        for output in self.error_log.handlers:
            output.setFormatter(formatter(readable=settings.debug))
