"""Limits that a view asks about: jobs that one caller makes, and sign-ins to one account.

All are counted in the database, so they hold across web processes.
"""

import math
from http import HTTPStatus
from typing import NoReturn

from flask import request
from webargs.flaskparser import abort

from api.addresses import network_of
from api.services import services
from shared import limits
from shared.database import database
from shared.jobs.waiting import waiting_jobs
from shared.limits import Limit

SIGN_IN_SECONDS = 15 * 60.0
PENDING_SECONDS = 30.0


def admit_job(caller: str) -> None:
    """Count a job that the caller is about to make, or answer 429. Call it before a body is read.

    Jobs that arrive together may pass the limit of waiting jobs by as many as there are threads.
    """
    settings = services().settings.limits
    # A slow upload must not keep a connection.
    with database.connection_context():
        if waiting_jobs(caller) >= settings.pending_jobs:
            refuse_for_now(
                PENDING_SECONDS,
                f"{settings.pending_jobs:,} of your files wait for a worker. Please let some of"
                " them be processed first.",
            )
        spent = limits.add_one(Limit("upload", settings.uploads_per_minute, 60.0), caller)
    if spent.count > settings.uploads_per_minute:
        refuse_for_now(
            spent.seconds_left,
            f"You may have {settings.uploads_per_minute:,} files imported a minute. Please wait a"
            " moment.",
        )


def seconds_before_sign_in(account: str) -> float:
    """How long this client must wait before it may try a password for the account; 0 when it may
    try now. Ask before the password is looked at."""
    limit = _sign_ins()
    spent = limits.spent(limit, _sign_in_subject(account))
    here = services().failures.seconds_to_wait(request.remote_addr, "")
    return max(here, spent.seconds_left if spent.count >= limit.most else 0.0)


def note_failed_sign_in(account: str) -> None:
    """A password was wrong, or there is no such account: the same is counted for both.

    It counts as a refused credential of the client's address, too, whatever the account.
    """
    limits.add_one(_sign_ins(), _sign_in_subject(account))
    services().failures.note(request.remote_addr)


def forget_failed_sign_ins(account: str) -> None:
    """The right password was given."""
    limits.forget(_sign_ins(), _sign_in_subject(account))


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
