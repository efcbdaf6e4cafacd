"""Request ids, which the log lines of a request, its job and that job's log lines share.

The id of a proxy is accepted, so that its log and ours can be compared. A value that may be
anything other than an id is not accepted, because it would appear in our log.
"""

from uuid import uuid4

from flask import Flask, Response, request

from config.log_context import begin, is_request_id, request_id

HEADER = "X-Request-ID"


def name_requests(app: Flask) -> None:
    """Give every request its id. Call it first, so that every log line has one."""
    app.before_request(_begin)
    app.after_request(_tell)
    app.teardown_request(_end)


def _begin() -> None:
    header = request.headers.get(HEADER, "")
    begin(request_id=header if is_request_id(header) else uuid4().hex)


def _tell(response: Response) -> Response:
    response.headers[HEADER] = request_id() or ""
    return response


def _end(_: BaseException | None) -> None:
    """Remove the id, because the next request of the thread has another."""
    begin()
