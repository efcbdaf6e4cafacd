"""`flask status`: the roll, the queue, the workers and the jobs on one screen."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import click
from flask import Flask
from flask.cli import with_appcontext

from api.commands.main import usable_database
from api.commands.tables import align
from api.monitoring.status import service_status
from api.services import services

WORKER_COLUMNS = ("WORKER", "STATE", "VERSION", "STARTED", "LAST BEAT", "JOBS")
JOB_COLUMNS = ("JOB", "STATE", "PHASE", "ROWS", "ATTEMPTS", "CREATED", "FILE")


def register_commands(app: Flask) -> None:
    """Register the command with the app."""
    app.cli.add_command(status)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")
@with_appcontext
def status(as_json: bool) -> None:
    """Show the roll, the queue, the workers and the jobs. Times are in UTC."""
    with usable_database():
        document = service_status(services().settings.broker_url)
    if as_json:
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for line in _lines(document):
        click.echo(line)


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    yield from align(_summary(document))
    yield ""
    workers, jobs = document["workers"], document["jobs"]
    if workers:
        yield from align([WORKER_COLUMNS, *map(_worker_row, workers)])
    if all(worker["state"] == "gone" for worker in workers):
        yield "No worker is running. Jobs wait until one starts."
    for worker in workers:
        if worker["state"] == "degraded":
            yield f"{worker['name']} has threads that fail: {' '.join(worker['troubles'])}."
    yield ""
    if jobs["open"]:
        yield from align([JOB_COLUMNS, *map(_job_row, jobs["open"])])
    else:
        yield "No import runs or waits."
    if more := jobs["more_open"]:
        yield f"and {more:,} more"


def _summary(document: Mapping[str, Any]) -> list[tuple[str, str]]:
    roll, jobs, queues = document["roll"], document["jobs"], document["queue_messages"]
    longest_wait = timedelta(seconds=jobs["oldest_waiting_seconds"])
    return [
        ("Version", document["version"]),
        ("Roll", f"{roll['voters']:,} voters, {roll['eligible']:,} of them eligible"),
        ("", f"changed {roll['changes']:,} times, last {roll['changed_at'] or 'never'}"),
        ("Jobs", _counts(jobs["states"])),
        ("", f"{longest_wait} since the longest waiting job was due"),
        ("Mails", _counts(document["report_mails"])),
        ("Webhook", _counts(document["webhook_calls"])),
        ("Queue", "the broker does not answer" if queues is None else _counts(queues)),
    ]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"


def _worker_row(worker: Mapping[str, Any]) -> tuple[str, ...]:
    jobs = " ".join(worker["task_ids"]) or "-"
    names = ("name", "state", "version", "started_at", "beat_at")
    return (*(worker[name] for name in names), jobs)


def _job_row(job: Mapping[str, Any]) -> tuple[str, ...]:
    rows = f"{job['rows_read']:,}"
    before, after = ("task_id", "state", "phase"), ("attempts", "created_at", "file")
    return (*(job[name] for name in before), rows, *(str(job[name]) for name in after))
