"""The message that names a job. The job row is the work itself.

A message carries a version and the job's id, nothing else; its correlation id is that of the
request that rang, for the log. Losing one costs a poll interval, receiving one twice costs a query.
"""

from typing import Any
from uuid import UUID

from config.log_context import is_request_id

MESSAGE_VERSION = 1


class UnreadableMessage(Exception):
    """A message that no version of this service has sent, or a later one has."""


def encode(job_id: UUID) -> dict[str, Any]:
    """The body of the message for a job."""
    return {"version": MESSAGE_VERSION, "job_id": str(job_id)}


def decode(body: object) -> UUID:
    """The job of a message body. Raises `UnreadableMessage`."""
    if not isinstance(body, dict) or body.get("version") != MESSAGE_VERSION:
        raise UnreadableMessage("not a message of a known version")
    try:
        return UUID(body["job_id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableMessage("no job id in the message") from error


def correlation_of(message: Any) -> str | None:
    """The id of the request that rang; None for a message that has none of our form, since anybody
    may have put it into the queue."""
    found = message.properties.get("correlation_id")
    return found if is_request_id(found) else None
