"""The services that all views of one web process share."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from config.settings import Settings
from shared.access.refused_tokens import Failures
from shared.broker.doorbell import Doorbell
from shared.storage.store import UploadStore

EXTENSION = "student-voter-system"


@dataclass(frozen=True, slots=True)
class Services:
    """The settings, and what was opened from them."""

    settings: Settings
    store: UploadStore
    doorbell: Doorbell
    failures: Failures
    sign_ins: Failures


def attach(app: Flask, instances: Services) -> None:
    """Make the services available in every request and command of the app."""
    app.extensions[EXTENSION] = instances


def services() -> Services:
    """Return the services of the current app."""
    return cast(Services, current_app.extensions[EXTENSION])
