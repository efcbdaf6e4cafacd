"""How much of a caller waits for a worker."""

from shared.jobs.models import Job
from shared.jobs.states import WAITING_STATES


def waiting_jobs(uploaded_by: str) -> int:
    """Jobs of one uploader that no worker has in hand."""
    return int(
        Job.select()
        .where(Job.state.in_([*WAITING_STATES]) & (Job.uploaded_by == uploaded_by))
        .count()
    )
