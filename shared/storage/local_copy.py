"""Copy a stored file to this machine, because workbook readers need random access."""

import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from typing import BinaryIO, cast

from shared.database.outages import is_disk_full
from shared.storage.errors import StoreFull, StoreUnavailable


def local_copy(blocks: Iterable[bytes]) -> BinaryIO:
    """Return a file with the blocks, at its start, for the caller to close.

    It has no name, so no one else can open it, and it leaves nothing behind. Memory use is one
    block. Raises `StoreFull` if there is no room, `StoreUnavailable` for other disk errors, and
    what `blocks` raises.
    """
    try:
        with ExitStack() as undo:
            copy = undo.enter_context(tempfile.TemporaryFile())
            copy.writelines(blocks)
            copy.seek(0)
            undo.pop_all()
    except OSError as error:
        if is_disk_full(error):
            raise StoreFull("there is no room for a temporary copy") from error
        raise StoreUnavailable(f"no temporary copy can be made: {error.strerror}") from error
    return cast(BinaryIO, copy)
