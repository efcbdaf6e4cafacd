"""Files that the service makes: the roll as a file, and an empty one to be filled in."""

from collections.abc import Iterable
from typing import Any

from flask import Response, request

from shared.audit import Action, record
from shared.database.connection import ANSWER_SECONDS, be_impatient

CSV = "text/csv"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def documented(mimetype: str, text: str) -> dict[str, Any]:
    """The successful answer of a download, for the OpenAPI document."""
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
    """An answer that a browser saves as a file of this name."""
    response = Response(content, mimetype=mimetype)
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def is_head_only() -> bool:
    """Whether nobody wants the content."""
    return request.method == "HEAD"


def note_handed_out(action: Action, subject: object = None, detail: str = "") -> None:
    """Commit the entry of a file that is about to go out; where it cannot be written, none goes.

    Call it last before the file is opened. A request for the headers alone gets no content.
    """
    if not is_head_only():
        # An import that is being applied holds SQLite's lock.
        be_impatient(ANSWER_SECONDS)
        record(action, subject, detail=detail)
