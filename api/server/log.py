"""Gunicorn's own log lines, in the form of ours."""

from typing import Any

from gunicorn.glogging import Logger

from config.logging import formatter
from config.settings import SettingsError, load_settings


class WebLog(Logger):  # type: ignore[misc]
    """Gunicorn's logger; `config.gunicorn` names it."""

    def setup(self, cfg: Any) -> None:
        """Called in the arbiter, before anything is logged."""
        super().setup(cfg)
        try:
            settings = load_settings()
        except SettingsError:
            # The arbiter is about to refuse the start because of them, in plain text.
            return
        for output in self.error_log.handlers:
            output.setFormatter(formatter(readable=settings.debug))
