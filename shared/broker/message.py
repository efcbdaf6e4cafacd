"""The message that names a job. The job row is the work itself.

A message has a version and the job's id, nothing else. Its correlation id is that of the request
that rang the doorbell, for the log. A lost message costs a poll interval. A duplicate costs a
query.
"""

from typing import Any
from uuid import UUID

from config.log_context import is_request_id
from shared.broker.errors import UnreadableMessage

MESSAGE_VERSION = 1


def encode(job_id: UUID) -> dict[str, Any]:
    """Return the body of the message for a job."""
    return {"version": MESSAGE_VERSION, "job_id": str(job_id)}


def decode(body: object) -> UUID:
    """Return the job id of a message body. Raises `UnreadableMessage`."""
    if not isinstance(body, dict) or body.get("version") != MESSAGE_VERSION:
        raise UnreadableMessage("not a message of a known version")
    try:
        return UUID(body["job_id"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UnreadableMessage("no job id in the message") from error


def correlation_of(message: Any) -> str | None:
    """Return the id of the request that rang the doorbell, or None.

    Anyone may have put the message into the queue, so an id of another form is ignored.
    """
    value = message.properties.get("correlation_id")
    return value if is_request_id(value) else None
