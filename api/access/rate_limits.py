"""Rate limits of callers: create jobs, download files, send reports again, sign in.

A view names the quota that it uses. The API and the pages count a request before they read its
body. The counts are in the database, so a limit holds over all web processes together.
`shared.access.refused_tokens` counts the failed sign-ins of an IP address.
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
from shared.database.connection import ANSWER_SECONDS, database, limit_lock_wait
from shared.jobs.waiting import waiting_jobs

SIGN_IN_SECONDS = 15 * 60.0
PENDING_SECONDS = 30.0
MINUTE = 60.0
HOUR = 3600.0

View = TypeVar("View", bound=Callable[..., Any])


class Quota(StrEnum):
    """What a request is counted as. The value is the kind of the count in the database."""

    JOB = "upload"
    DOWNLOAD = "download"
    REPORT = "report"


def counted_as(quota: Quota) -> Callable[[View], View]:
    """Mark a view as limited, because each of its actions costs other users something."""

    def mark(view: View) -> View:
        view.__dict__["quota"] = quota
        return view

    return mark


def count_request(caller: str) -> None:
    """Count the action that the caller requests, or answer 429. Call it before a body is read."""
    if request.endpoint is None:
        return
    quota = getattr(current_app.view_functions[request.endpoint], "quota", None)
    # The same view may show a form (GET) and do what the form asks for (POST). Only the action
    # counts.
    if quota is None or request.method != ("GET" if quota is Quota.DOWNLOAD else "POST"):
        return
    # A slow upload must not hold a connection.
    with database.connection_context():
        if quota is Quota.JOB:
            _refuse_while_many_wait(caller)
        else:
            # The request must not wait long for an import that is being applied and holds SQLite's
            # lock.
            limit_lock_wait(ANSWER_SECONDS)
        limit, message = _limit_of(quota)
        use = rate_limits.add_one(limit, caller)
    if use.count > limit.most:
        refuse_for_now(use.seconds_left, f"{message} Wait a moment.")


def _limit_of(quota: Quota) -> tuple[Limit, str]:
    """Return the limit, and the error message for a caller that exceeds it."""
    most = services().settings.limits
    if quota is Quota.JOB:
        limit = Limit(quota, most.uploads_per_minute, MINUTE)
        return limit, f"You can import {limit.most:,} files in a minute."
    if quota is Quota.DOWNLOAD:
        limit = Limit(quota, most.downloads_per_minute, MINUTE)
        return limit, f"You can download {limit.most:,} files in a minute."
    limit = Limit(quota, most.reports_per_hour, HOUR)
    return limit, f"You can send {limit.most:,} reports again in an hour."


def _refuse_while_many_wait(caller: str) -> None:
    """Answer 429 if too many jobs of the caller are waiting.

    Jobs that arrive at the same time may exceed the limit by one for each thread.
    """
    most = services().settings.limits.pending_jobs
    if waiting_jobs(caller) >= most:
        refuse_for_now(
            PENDING_SECONDS,
            f"{most:,} of your files wait for a worker. Wait until some of them are processed.",
        )


def seconds_before_sign_in(account: str) -> float:
    """Return the seconds until this client may try a password for the account, 0 for now.

    Ask before you check the password.
    """
    limit = _sign_ins()
    failures = rate_limits.count_of(limit, _sign_in_subject(account))
    here = services().sign_ins.seconds_to_wait(request.remote_addr, "")
    return max(here, failures.seconds_left if failures.count >= limit.most else 0.0)


def note_failed_sign_in(account: str) -> None:
    """Count a wrong password. An unknown account is counted in the same way.

    The failure also counts for the IP address of the client, whatever the account. Rejected tokens
    have a separate count, because a broken program must not keep users at its IP address from
    signing in.
    """
    rate_limits.add_one(_sign_ins(), _sign_in_subject(account))
    services().sign_ins.note(request.remote_addr)


def forget_failed_sign_ins(account: str) -> None:
    """Remove the count of failed sign-ins after the right password."""
    rate_limits.forget(_sign_ins(), _sign_in_subject(account))


def _sign_ins() -> Limit:
    return Limit("sign-in", services().settings.limits.sign_in_failures, SIGN_IN_SECONDS)


def _sign_in_subject(account: str) -> str:
    return f"{network_of(request.remote_addr)} {account}"


def refuse_for_now(seconds: float, message: str) -> NoReturn:
    """Answer 429, with the time after which the client may try again."""
    abort(
        HTTPStatus.TOO_MANY_REQUESTS,
        message=message,
        headers={"Retry-After": str(max(math.ceil(seconds), 1))},
    )
