"""How values look on a page: grouped numbers, times, sizes, shares."""

from datetime import datetime

from markupsafe import Markup, escape

from shared.jobs.models import Job
from shared.jobs.states import JobState

UNITS = ("bytes", "KiB", "MiB", "GiB")
STATES = {
    JobState.PENDING: "Waiting",
    JobState.STARTED: "Running",
    JobState.RETRY: "Will be tried again",
    JobState.SUCCESS: "Imported",
    JobState.FAILURE: "Not imported",
    JobState.REVOKED: "Cancelled",
}


def number(value: int) -> str:
    """1234567 as 1,234,567."""
    return f"{value:,}"


def plural(value: int, one: str, many: str) -> str:
    """A count with its noun."""
    return f"{value:,} {one if value == 1 else many}"


def size(size_bytes: int) -> str:
    """A size in the unit that suits it."""
    value = float(size_bytes)
    for unit in UNITS:
        if value < 1024 or unit == UNITS[-1]:
            shown = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
            return f"{shown} {unit}"
        value /= 1024
    raise AssertionError("the last unit takes them all")


def moment(time: datetime | None) -> Markup:
    """A time of the database (UTC without a zone), which the page's script turns into the
    viewer's own zone."""
    if time is None:
        return Markup("–")
    iso = f"{time.isoformat(timespec='seconds')}Z"
    return Markup('<time datetime="{}">{}</time>').format(iso, f"{time:%Y-%m-%d %H:%M} UTC")


def percent(part: int, whole: int) -> str:
    """A share with one decimal, which is never rounded up to all or down to none."""
    if not whole:
        return escape("–")
    share = 100 * part / whole
    if 0 < part < whole:
        share = min(max(share, 0.1), 99.9)
    return f"{share:.1f} %"


def state(job: Job) -> str:
    """What has become of a job, in a word or two."""
    is_checked = job.dry_run and job.state == JobState.SUCCESS
    return "Checked" if is_checked else STATES[JobState(job.state)]


def value(found: object) -> str:
    """A value of a voter, in words."""
    match found:
        case True:
            return "yes"
        case False:
            return "no"
        case None | "":
            return "nothing"
        case _:
            return str(found)


FILTERS = {
    "shown": value,
    "state": state,
    "number": number,
    "plural": plural,
    "size": size,
    "moment": moment,
    "percent": percent,
}
