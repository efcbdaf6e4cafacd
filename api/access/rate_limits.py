"""What a caller may do only so often: make jobs, take files, have reports sent, try passwords.

A view names what it is counted as, and the gates of the API and of the pages count it before the
body is read. All counts are in the database, so they hold across web processes.
"""

import math
from collections.abc import Callable
from enum import StrEnum
from http import HTTPStatus
from typing import Any, NoReturn, TypeVar

from flask import current_app, request
from webargs.flaskparser import abort

from api.services import services
from shared.access import rate_limits
from shared.access.addresses import network_of
from shared.access.rate_limits import Limit
from shared.database.connection import ANSWER_SECONDS, be_impatient, database
from shared.jobs.waiting import waiting_jobs

SIGN_IN_SECONDS = 15 * 60.0
PENDING_SECONDS = 30.0
MINUTE = 60.0
HOUR = 3600.0

View = TypeVar("View", bound=Callable[..., Any])


class Quota(StrEnum):
    """What an act is counted as; the value is the kind of the count in the database."""

    JOB = "upload"
    DOWNLOAD = "download"
    REPORT = "report"


def counted_as(quota: Quota) -> Callable[[View], View]:
    """Mark a view whose every act costs others something."""

    def mark(view: View) -> View:
        view.__dict__["quota"] = quota
        return view

    return mark


def count_request(caller: str) -> None:
    """Count what the caller is about to do, or answer 429. Call it before a body is read."""
    if request.endpoint is None:
        return
    quota = getattr(current_app.view_functions[request.endpoint], "quota", None)
    # One view shows a form and does what the form asks for.
    if quota is None or request.method != ("GET" if quota is Quota.DOWNLOAD else "POST"):
        return
    # A slow upload must not keep a connection.
    with database.connection_context():
        if quota is Quota.JOB:
            _refuse_while_many_wait(caller)
        else:
            # An import that is being applied holds SQLite's lock.
            be_impatient(ANSWER_SECONDS)
        limit, message = _limit_of(quota)
        spent = rate_limits.add_one(limit, caller)
    if spent.count > limit.most:
        refuse_for_now(spent.seconds_left, f"{message} Wait a moment.")


def _limit_of(quota: Quota) -> tuple[Limit, str]:
    """The limit, and the sentence for a caller who is beyond it."""
    most = services().settings.limits
    if quota is Quota.JOB:
        limit = Limit(quota, most.uploads_per_minute, MINUTE)
        return limit, f"You may have {limit.most:,} files imported a minute."
    if quota is Quota.DOWNLOAD:
        limit = Limit(quota, most.downloads_per_minute, MINUTE)
        return limit, f"You may download {limit.most:,} files a minute."
    limit = Limit(quota, most.reports_per_hour, HOUR)
    return limit, f"You may have {limit.most:,} reports sent again an hour."


def _refuse_while_many_wait(caller: str) -> None:
    """Jobs that arrive together may pass the limit by as many as there are threads."""
    most = services().settings.limits.pending_jobs
    if waiting_jobs(caller) >= most:
        refuse_for_now(
            PENDING_SECONDS,
            f"{most:,} of your files wait for a worker. Let some of them be processed first.",
        )


def seconds_before_sign_in(account: str) -> float:
    """How long this client must wait before it may try a password for the account; 0 when it may
    try now. Ask before the password is looked at."""
    limit = _sign_ins()
    spent = rate_limits.spent(limit, _sign_in_subject(account))
    here = services().sign_ins.seconds_to_wait(request.remote_addr, "")
    return max(here, spent.seconds_left if spent.count >= limit.most else 0.0)


def note_failed_sign_in(account: str) -> None:
    """A password was wrong, or there is no such account: the same is counted for both.

    It counts for the client's address, too, whatever the account. Refused tokens have a count of
    their own: a broken program must keep no one at the same address from signing in.
    """
    rate_limits.add_one(_sign_ins(), _sign_in_subject(account))
    services().sign_ins.note(request.remote_addr)


def forget_failed_sign_ins(account: str) -> None:
    """The right password was given."""
    rate_limits.forget(_sign_ins(), _sign_in_subject(account))


def _sign_ins() -> Limit:
    return Limit("sign-in", services().settings.limits.sign_in_failures, SIGN_IN_SECONDS)


def _sign_in_subject(account: str) -> str:
    return f"{network_of(request.remote_addr)} {account}"


def refuse_for_now(seconds: float, message: str) -> NoReturn:
    """Answer 429, and when to come again."""
    abort(
        HTTPStatus.TOO_MANY_REQUESTS,
        message=message,
        headers={"Retry-After": str(max(math.ceil(seconds), 1))},
    )
