"""Responses for downloads, their documentation and their audit entries."""

from collections.abc import Iterable
from typing import Any

from flask import Response, request

from shared.audit import Action, record
from shared.database.connection import ANSWER_SECONDS, limit_lock_wait

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def documented(mimetype: str, text: str) -> dict[str, Any]:
    """Return the successful response of a download, for the OpenAPI document."""
    content = {mimetype: {"schema": {"type": "string", "format": "binary"}}}
    disposition = {
        "description": "The name of the file.",
        "schema": {"type": "string", "example": "attachment; filename=roll.csv"},
    }
    return {
        "200": {
            "description": text,
            "content": content,
            "headers": {"Content-Disposition": disposition},
        }
    }


def download(content: bytes | Iterable[bytes], mimetype: str, name: str) -> Response:
    """Return a response that a browser saves as a file with this name."""
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def is_head_only() -> bool:
    """Whether the client wants the headers only."""
    return request.method == "HEAD"


def note_handed_out(action: Action, subject: object = None, detail: str = "") -> None:
    """Commit the audit entry of a download. If it cannot be written, no file goes out.

    Call it last before the file is opened. A request for the headers alone gets no content, so it
    gets no entry.
    """
    if not is_head_only():
        # The request must not wait long for an import that is being applied and holds SQLite's
        # lock.
        limit_lock_wait(ANSWER_SECONDS)
        record(action, subject, detail=detail)
