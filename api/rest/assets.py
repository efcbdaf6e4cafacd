"""Public files of the service and of installed packages, which strangers may fetch.

A file is in memory once for all answers. The main loop sends it to any number of slow clients, see
`api.middleware.paced_socket`, so an answer must not have a copy of its own.
"""

import mimetypes
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, abort, request
from werkzeug.security import safe_join

# More than there are files.
MAX_FILES = 32


def asset(folder: Path, name: str, max_age: int) -> Response:
    """A file of the folder, which a browser may keep for `max_age` seconds; 404 without it.

    Ranges are not served: each would be a copy.
    """
    path = safe_join(str(folder), name)
    if path is None or not Path(path).is_file():
        abort(404)
    content, tag = _read(path, Path(path).stat().st_mtime_ns)
    return shared_answer(content, tag, mimetypes.guess_type(name)[0], max_age)


def shared_answer(content: bytes, tag: str, mimetype: str | None, max_age: int) -> Response:
    """These very bytes, or 304 for a browser that has them."""
    response = Response(content, mimetype=mimetype or "application/octet-stream")
    response.set_etag(tag)
    if max_age:
        response.cache_control.public = True
        response.cache_control.max_age = max_age
    else:
        response.cache_control.no_cache = True
    response.make_conditional(request)
    return response


def tag_of(content: bytes) -> str:
    """A name for exactly this content."""
    return sha256(content).hexdigest()[:16]


@lru_cache(MAX_FILES)
def _read(path: str, _modified_ns: int) -> tuple[bytes, str]:
    content = Path(path).read_bytes()
    return content, tag_of(content)


class AssetBlueprint(Blueprint):
    """A blueprint whose static files are such assets."""

    def send_static_file(self, filename: str) -> Response:
        """A file of the static folder, which a browser asks for each time."""
        return asset(Path(self.static_folder or ""), filename, 0)
