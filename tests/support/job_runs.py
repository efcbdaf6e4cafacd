"""Functions that run jobs in the process of the test."""

from uuid import UUID

from flask import Flask

from api.services import services
from shared.importing.attempt import perform
from shared.jobs import transitions
from shared.roll_file.limits import Limits
from tests.support.api_client import ApiClient


def run_due_jobs(app: Flask) -> None:
    """Run jobs as a worker does, until none is due."""
    with app.app_context():
        while due := transitions.due_jobs(1):
            claim = transitions.claim(due[0], worker="tests", lease_seconds=30, max_attempts=2)
            assert claim is not None
            perform(claim, store=services().store, limits=Limits(100), max_attempts=2)


def finished(app: Flask, client: ApiClient, content: bytes, query: str = "") -> UUID:
    """Upload a file, run its job and return the job's id."""
    data = client.upload(content, query_string=query)
    assert data.status_code == 202, data.get_json()
    run_due_jobs(app)
    return UUID(data.get_json()["task_id"])
