"""Count the jobs of a caller that wait for a worker."""

from shared.jobs.models import Job
from shared.jobs.states import WAITING_STATES


def waiting_jobs(uploaded_by: str) -> int:
    """Return how many jobs of one uploader no worker has claimed."""
    return int(
        Job.select()
        .where(Job.state.in_([*WAITING_STATES]) & (Job.uploaded_by == uploaded_by))
        .count()
    )
