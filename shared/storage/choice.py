"""Open the upload store that a setting names."""

from config.buckets import OPENERS
from config.settings import PROJECT_ROOT
from shared.storage.database_store import DatabaseStore
from shared.storage.file_store import FileStore
from shared.storage.object_store import ObjectStore
from shared.storage.store import UploadStore


def open_store(setting: str) -> UploadStore:
    """Return the store of an `UPLOAD_STORE` setting.

    The setting is `file:FOLDER` (relative to the project), `database:`, or the URL of a bucket.
    """
    kind, _, place = setting.partition(":")
    if kind in OPENERS:
        return ObjectStore(setting)
    return DatabaseStore() if kind == "database" else FileStore(PROJECT_ROOT / place)
