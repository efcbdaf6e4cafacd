"""The state of the service: the roll, the queue, the workers and the jobs."""

from typing import Any

from api.monitoring.dependencies import queue_probe
from config.version import version
from shared.jobs.models import Job
from shared.jobs.states import FINAL_STATES, Channel, JobState, OutboxState
from shared.jobs.statistics import JobFigures, job_figures
from shared.jobs.status_document import rfc3339
from shared.voters.models import Roll
from shared.voters.summary import summarise
from shared.workers import Worker, all_workers

MAX_OPEN_JOBS = 20


def service_status(broker_url: str) -> dict[str, Any]:
    """Return the whole state as JSON values.

    `queue_messages` is None if the broker does not respond.
    """
    broker = queue_probe(broker_url)
    broker.start()
    open_jobs = list(
        Job.select()
        .where(Job.state.not_in(list(FINAL_STATES)))
        .order_by(Job.state != JobState.STARTED, Job.created_at)
        .limit(MAX_OPEN_JOBS)
    )
    figures = job_figures()
    return {
        "version": version(),
        "roll": _roll(),
        "workers": [_worker(worker, open_jobs) for worker in all_workers()],
        "jobs": _jobs(figures, open_jobs),
        "report_mails": _outbox(figures, Channel.MAIL),
        "webhook_calls": _outbox(figures, Channel.WEBHOOK),
        "queue_messages": broker.answer(),
    }


def _outbox(figures: JobFigures, channel: Channel) -> dict[str, int]:
    return {state: figures.outbox[channel][state] for state in map(str, OutboxState)}


def _roll() -> dict[str, Any]:
    summary = summarise()
    roll: Roll | None = Roll.get_or_none()
    return {
        "voters": summary.voters,
        "eligible": summary.eligible,
        "departments": summary.departments,
        "changes": roll.version if roll else 0,
        "changed_at": rfc3339(roll.changed_at) if roll else None,
    }


def _worker(worker: Worker, open_jobs: list[Job]) -> dict[str, Any]:
    return {
        "name": worker.name,
        "state": _state(worker),
        "version": worker.version,
        "started_at": rfc3339(worker.started_at),
        "beat_at": rfc3339(worker.beat_at),
        "troubles": (worker.troubles or "").split(),
        "task_ids": [
            str(job.id)
            for job in open_jobs
            if job.state == JobState.STARTED and job.worker == worker.name
        ],
    }


def _state(worker: Worker) -> str:
    if not worker.is_alive:
        return "gone"
    return "degraded" if worker.troubles else "alive"


def _jobs(figures: JobFigures, open_jobs: list[Job]) -> dict[str, Any]:
    count = sum(figures.states[state] for state in JobState if state not in FINAL_STATES)
    return {
        "states": {state: figures.states[state] for state in map(str, JobState)},
        "oldest_waiting_seconds": round(figures.waiting_seconds),
        "more_open": max(0, count - len(open_jobs)),
        "open": [
            {
                "task_id": str(job.id),
                "state": job.state,
                "phase": job.phase,
                "rows_read": job.rows_read,
                "percent": job.percent,
                "attempts": job.attempts,
                "created_at": rfc3339(job.created_at),
                "file": job.file_name,
            }
            for job in open_jobs
        ],
    }
