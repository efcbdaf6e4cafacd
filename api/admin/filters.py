"""Template filters that format values for a page: numbers, times, sizes, shares."""

from datetime import datetime

from markupsafe import Markup, escape

from shared.jobs.models import Job
from shared.jobs.states import JobState

UNITS = ("bytes", "KiB", "MiB", "GiB")
STATES = {
    JobState.PENDING: "Waiting",
    JobState.STARTED: "Running",
    JobState.RETRY: "Waiting for a retry",
    JobState.SUCCESS: "Imported",
    JobState.FAILURE: "Not imported",
    JobState.REVOKED: "Cancelled",
}

# The words of a page where they differ from those of the audit table.
NAMES = {
    "create-person": "create user",
    "lock-out": "deactivate user",
    "let-in": "reactivate user",
    "person": "user",
}


def number(value: int) -> str:
    """Format 1234567 as 1,234,567."""
    return f"{value:,}"


def plural(value: int, one: str, many: str) -> str:
    """Format a count with its noun."""
    return f"{value:,} {one if value == 1 else many}"


def size(size_bytes: int) -> str:
    """Format a size in a suitable unit, up to GiB."""
    value = float(size_bytes)
    for unit in UNITS:
        if value < 1024 or unit == UNITS[-1]:
            number = f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
            return f"{number} {unit}"
        value /= 1024
    raise AssertionError("the last unit takes them all")


def moment(time: datetime | None) -> Markup:
    """Format a time of the database (UTC without a zone) as a `<time>` element.

    The page's script converts it to the time zone of the user.
    """
    if time is None:
        return Markup("–")
    iso = f"{time.isoformat(timespec='seconds')}Z"
    return Markup('<time datetime="{}">{}</time>').format(iso, f"{time:%Y-%m-%d %H:%M} UTC")


def percent(part: int, whole: int) -> str:
    """Format a share with one decimal. It is never rounded up to all or down to none."""
    if not whole:
        return escape("–")
    share = 100 * part / whole
    if 0 < part < whole:
        share = min(max(share, 0.1), 99.9)
    return f"{share:.1f} %"


def state(job: Job) -> str:
    """Return the state of a job in a few words."""
    is_checked = job.dry_run and job.state == JobState.SUCCESS
    return "Checked" if is_checked else STATES[JobState(job.state)]


def readable(value: object) -> str:
    """Return a value of a voter in words."""
    match value:
        case True:
            return "yes"
        case False:
            return "no"
        case None | "":
            return "nothing"
        case _:
            return str(value)


def name(word: str) -> str:
    """Return an action, an outcome or a kind of actor of the audit table in words."""
    return NAMES.get(word, word.replace("-", " "))


FILTERS = {
    "name": name,
    "readable": readable,
    "state": state,
    "number": number,
    "plural": plural,
    "size": size,
    "moment": moment,
    "percent": percent,
}
