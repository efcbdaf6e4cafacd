"""The upload store that a setting names."""

from config.settings import PROJECT_ROOT
from shared.storage.database_store import DatabaseStore
from shared.storage.file_store import FileStore
from shared.storage.store import UploadStore


def open_store(setting: str) -> UploadStore:
    """The store of an `UPLOAD_STORE` setting: `file:FOLDER` (relative to the project) or
    `database:`."""
    kind, _, place = setting.partition(":")
    return DatabaseStore() if kind == "database" else FileStore(PROJECT_ROOT / place)
