"""Turn an upload into a stored file and a committed job, and notify the workers."""

import hashlib
from typing import BinaryIO
from uuid import UUID, uuid4

from peewee import IntegrityError

from shared.broker.doorbell import Doorbell
from shared.importing.errors import KeyReused, TooLarge
from shared.importing.options import ImportOptions
from shared.jobs import jobs
from shared.jobs.jobs import StoredFile
from shared.roll_file.detection import detect_format
from shared.roll_file.errors import FileCode, FileFault
from shared.roll_file.formats import Format
from shared.storage.store import UploadStore, delete_unless_committed

COPY_BYTES = 256 * 1024
MAX_NAME_CHARS = 255
DEFAULT_OPTIONS = ImportOptions()
REFUSED_AT_ONCE = (FileCode.EMPTY_FILE, FileCode.UNSUPPORTED_FORMAT)


def submit(
    upload: BinaryIO,
    name: str,
    *,
    store: UploadStore,
    doorbell: Doorbell,
    max_bytes: int,
    uploaded_by: str,
    dry_run: bool = False,
    options: ImportOptions = DEFAULT_OPTIONS,
    idempotency_key: str | None = None,
) -> UUID:
    """Store the file, commit its job, and ring the doorbell. Return the job's id.

    `upload` is seekable and at its start. `name` is the client's name of the file, and is only
    shown.

    The same key of the same caller returns the same job, and nothing new is stored. With another
    file or other options it raises `KeyReused`.

    Raises `FileFault` for a file that is empty or of an unsupported format, `TooLarge`, and what
    the store raises. Nothing is left behind then. A database fault passes through too, and then the
    job may exist or not. An unavailable broker is not an error.
    """
    file = keep(upload, name, store=store, max_bytes=max_bytes, encoding=options.encoding)
    try:
        with delete_unless_committed(store, file.key):
            job_id = jobs.create(
                file,
                uploaded_by=uploaded_by,
                dry_run=dry_run,
                options=options.to_dict(),
                idempotency_key=idempotency_key,
            )
    except IntegrityError:
        # The key is taken, perhaps by the same request a moment ago.
        first = jobs.find_by_key(uploaded_by, idempotency_key or "")
        if first is None:
            raise
        if (first.sha256, first.dry_run, first.options) != (
            file.sha256,
            dry_run,
            options.to_dict(),
        ):
            raise KeyReused from None
        return first.id
    doorbell.ring(job_id)
    return job_id


def keep(
    upload: BinaryIO,
    name: str,
    *,
    store: UploadStore,
    max_bytes: int,
    encoding: str | None = None,
) -> StoredFile:
    """Copy an upload into the store under a key of our own, in the memory of one small block.

    `encoding` is the one that the uploader states.
    """
    file_format = _format_at_first_sight(upload, encoding)
    key = uuid4().hex
    digest = hashlib.sha256()
    size_bytes = 0
    with store.writer(key) as sink:
        while block := upload.read(COPY_BYTES):
            size_bytes += len(block)
            if size_bytes > max_bytes:
                raise TooLarge(f"more than {max_bytes} bytes")
            digest.update(block)
            sink.write(block)
    return StoredFile(
        key=key,
        name=printable_name(name),
        size_bytes=size_bytes,
        sha256=digest.hexdigest(),
        format=file_format,
    )


def _format_at_first_sight(upload: BinaryIO, encoding: str | None) -> Format:
    """Detect the format. Raise only the faults that reject a file immediately.

    A fault that needs a closer look, such as a password or damage, becomes the job's own failure.
    """
    try:
        return detect_format(upload, encoding=encoding)
    except FileFault as fault:
        if fault.code in REFUSED_AT_ONCE:
            raise
        return Format.XLSX
    finally:
        upload.seek(0)


def printable_name(name: str) -> str:
    """Return the last part of a client's path, safe to show on a page, in a log or in an email."""
    last = name.replace("\\", "/").rpartition("/")[2]
    text = "".join(sign if sign.isprintable() else "_" for sign in last).strip()
    return text[:MAX_NAME_CHARS] or "unnamed"
