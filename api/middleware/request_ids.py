"""Each request has an id, which its log lines, its job and the job's log lines share.

A proxy's id is taken over, so that its log and ours can be laid side by side. What could be
anything but an id is not: it would stand in our log.
"""

from uuid import uuid4

from flask import Flask, Response, request

from config.log_context import begin, is_request_id, request_id

HEADER = "X-Request-ID"


def name_requests(app: Flask) -> None:
    """Give every request its id. Call it first, so that no line goes without."""
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)


def _begin() -> None:
    claimed = request.headers.get(HEADER, "")
    begin(request_id=claimed if is_request_id(claimed) else uuid4().hex)


def _tell(response: Response) -> Response:
    response.headers[HEADER] = request_id() or ""
    return response


def _end(_: BaseException | None) -> None:
    """The thread's next request is another one."""
    begin()
