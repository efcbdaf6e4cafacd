"""Public files of the service and of installed packages, which need no credential.

Each file is in memory once for all responses. The main loop sends it to any number of slow clients,
see `api.middleware.paced_socket`. So a response must not have a copy of its own.
"""

import mimetypes
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, abort, request
from werkzeug.security import safe_join

# More than the number of public files.
MAX_FILES = 32


def asset(folder: Path, name: str, max_age: int) -> Response:
    """Return a file of the folder, which a browser may keep for `max_age` seconds, or 404.

    Ranges are not supported, because each range would be a copy.
    """
    path = safe_join(str(folder), name)
    if path is None or not Path(path).is_file():
        abort(404)
    content, tag = _read_file(path, Path(path).stat().st_mtime_ns)
    return shared_answer(content, tag, mimetypes.guess_type(name)[0], max_age)


def shared_answer(content: bytes, tag: str, mimetype: str | None, max_age: int) -> Response:
    """Return exactly these bytes, without a copy, or 304 if the browser has them."""
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
    """Return a hash that identifies this content."""
    return sha256(content).hexdigest()[:16]


@lru_cache(MAX_FILES)
def _read_file(path: str, _modified_ns: int) -> tuple[bytes, str]:
    content = Path(path).read_bytes()
    return content, tag_of(content)


class AssetBlueprint(Blueprint):
    """A blueprint whose static files are such shared assets."""

    def send_static_file(self, filename: str) -> Response:
        """Return a file of the static folder. A browser asks each time whether it has changed."""
        return asset(Path(self.static_folder or ""), filename, 0)
