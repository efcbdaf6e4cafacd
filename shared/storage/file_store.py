"""Store uploads as files of one folder, for web and worker on one machine or a shared disk."""

import errno
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from shared.database.outages import is_disk_full
from shared.storage.errors import FileLost, StoreFull, StoreUnavailable
from shared.storage.store import KEY

PARTIAL = ".part"


class FileStore:
    """An upload store in a folder.

    A file gets a temporary name first, and its own name when its bytes are on the disk. When an
    upload is accepted, its name is on the disk as well.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def writer(self, key: str) -> Iterator[BinaryIO]:
        place = self.folder / key
        partial = self.folder / f"{key}{PARTIAL}"
        with _converting_errors():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with partial.open("xb") as file, _removed_on_error(partial):
                yield file
                file.flush()
                os.fsync(file.fileno())
                partial.rename(place)
            with _removed_on_error(place):
                _sync_names(self.folder)

    def open(self, key: str) -> BinaryIO:
        try:
            with _converting_errors():
                return (self.folder / key).open("rb")
        except StoreUnavailable as error:
            if isinstance(error.__cause__, FileNotFoundError):
                raise FileLost(f"no file is stored for {key}") from error
            raise

    def delete(self, key: str) -> None:
        with _converting_errors():
            (self.folder / key).unlink(missing_ok=True)
            (self.folder / f"{key}{PARTIAL}").unlink(missing_ok=True)

    def keys(self, *, older_than_seconds: float) -> Iterator[str]:
        latest = time.time() - older_than_seconds
        with _converting_errors():
            if not self.folder.is_dir():
                return
            for file in self.folder.iterdir():
                key = file.name.removesuffix(PARTIAL)
                with suppress(FileNotFoundError):
                    if KEY.fullmatch(key) and file.is_file() and file.stat().st_mtime <= latest:
                        yield key

    def check(self) -> None:
        with _converting_errors():
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise StoreUnavailable("the upload folder may not be used")


def _sync_names(folder: Path) -> None:
    """Write the names in the folder to disk, or a power cut may undo a rename (fsync(2))."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network file systems do not support this and report EINVAL.
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _removed_on_error(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@contextmanager
def _converting_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise StoreFull("the upload folder has no room left") from error
        raise StoreUnavailable(f"the upload folder cannot be used: {error.strerror}") from error
