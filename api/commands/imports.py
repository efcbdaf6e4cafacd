"""What `flask import` does: create a job, make one attempt, and report the outcome."""

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import IO
from uuid import UUID

import click

from api.commands.foreground import attempt, failing_when_interrupted, renew_lease
from api.services import services
from config.settings import Settings
from shared.errors import CodedError
from shared.importing.errors import TooLarge
from shared.importing.options import ImportOptions
from shared.importing.reading import OnProgress
from shared.importing.submission import keep
from shared.jobs import jobs, transitions
from shared.jobs.jobs import StoredFile
from shared.jobs.models import Job, JobFault
from shared.jobs.states import JobState, Phase
from shared.jobs.status_document import describe
from shared.roll_file.errors import FileFault
from shared.storage.errors import FileLost, StoreFull, StoreUnavailable

SHOWN_FAULTS = 20
BAR_STEPS = 1000


class FileRejected(CodedError[str]):
    """The file was rejected before it became a job."""


def import_file(
    path: str,
    *,
    dry_run: bool,
    as_json: bool,
    options: ImportOptions,
    rejects: str | None,
) -> bool:
    """Import a file and print the outcome. Returns whether the import succeeded.

    Rejected rows are written to `rejects`, or to a new file that is named after the imported one.
    """
    try:
        file = _keep(Path(path), options.encoding)
    except FileRejected as rejection:
        if as_json:
            _print_json({"error": {"code": rejection.code, "message": rejection.message}})
        click.echo(rejection.message, err=True)
        return False
    job = _import(file, dry_run=dry_run, options=options)
    if as_json:
        _print_json(describe(job, may_read_roll=True))
    else:
        _print_report(job)
    if job.rejects_key:
        _write_rejects(job.rejects_key, rejects, Path(path).stem)
    return bool(job.state == JobState.SUCCESS)


def _keep(path: Path, encoding: str | None) -> StoredFile:
    store = services().store
    limit_bytes = services().settings.max_upload_bytes
    try:
        with path.open("rb") as upload:
            return keep(upload, path.name, store=store, max_bytes=limit_bytes, encoding=encoding)
    except FileFault as fault:
        raise FileRejected(fault.code, fault.message) from fault
    except TooLarge as error:
        raise FileRejected(
            "TOO_LARGE",
            f"The file is larger than {limit_bytes:,} bytes. Split it, or raise MAX_UPLOAD_BYTES.",
        ) from error
    except (StoreFull, StoreUnavailable) as error:
        raise FileRejected(
            "STORE_UNAVAILABLE", f"The file could not be stored: {error}."
        ) from error
    except OSError as error:
        raise FileRejected("UNREADABLE_PATH", f"Cannot read {path}: {error.strerror}.") from error


def _import(file: StoredFile, *, dry_run: bool, options: ImportOptions) -> Job:
    settings = services().settings
    claim = jobs.create_started(
        file,
        uploaded_by=transitions.FOREGROUND,
        dry_run=dry_run,
        worker=transitions.FOREGROUND,
        lease_seconds=settings.lease_seconds,
        options=options.to_dict(),
    )
    with (
        failing_when_interrupted(claim),
        renew_lease(claim, settings.lease_seconds),
        _progress_bar() as show,
    ):
        attempt(claim, _quiet(settings), show)
    return Job.get_by_id(claim.job_id)


def _quiet(settings: Settings) -> Settings:
    """Hide INFO lines on a terminal: they would break the bar, and the report says the same."""
    return replace(settings, log_level="WARNING") if sys.stderr.isatty() else settings


@contextmanager
def _progress_bar() -> Iterator[OnProgress]:
    """Show a bar on a terminal only, on standard error: standard output is for the report."""
    if not sys.stderr.isatty():
        yield lambda phase, rows_read, percent: None
        return
    with click.progressbar(length=BAR_STEPS, label="Reading", file=sys.stderr) as bar:

        def show(phase: Phase, rows_read: int, percent: float | None) -> None:
            bar.label = f"{phase.capitalize()} ({rows_read:,} rows)"
            steps = bar.pos if percent is None else int(percent * BAR_STEPS / 100)
            bar.update(steps - bar.pos)

        yield show


def _write_rejects(key: str, path: str | None, stem: str) -> None:
    """Copy the rejects file. The import has ended, so a failure here is printed but not fatal."""
    try:
        with services().store.open(key) as source, _new_file(path, stem) as copy:
            shutil.copyfileobj(source, copy)
    except (OSError, FileLost, StoreUnavailable) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        click.echo(f"The rejected rows could not be written: {reason}.", err=True)
    else:
        click.echo(f"The rejected rows are in {copy.name}.", err=True)


def _new_file(path: str | None, stem: str) -> IO[bytes]:
    """Open the requested file, or a new one that only its owner may read."""
    if path:
        return Path(path).open("wb")
    for number in count(1):
        name = f"{stem}.rejects{'' if number == 1 else f'-{number}'}.csv"
        with suppress(FileExistsError):
            return open(name, "xb", opener=partial(os.open, mode=0o600))
    raise AssertionError("numbers do not end")


def _print_json(document: Mapping[str, object]) -> None:
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def _print_report(job: Job) -> None:
    document = describe(job, may_read_roll=True)
    click.echo(document["result"] or document["status"], err=job.state == JobState.FAILURE)
    if job.report:
        for name, value in job.report.items():
            click.echo(f"  {name.replace('_', ' ')}: {_text_of(value)}")
    _print_faults(job.id)


def _text_of(value: object) -> str:
    match value:
        case dict():
            return ", ".join(f"{name} {_text_of(part)}" for name, part in value.items()) or "none"
        case list():
            return "; ".join(map(_text_of, value)) or "none"
        case int():
            return f"{value:,}"
        case _:
            return str(value)


def _print_faults(job_id: UUID) -> None:
    faults = JobFault.select().where(JobFault.job == job_id).order_by(JobFault.number)
    total = faults.count()
    if total:
        click.echo(f"The first {min(total, SHOWN_FAULTS)} faults:")
    for fault in faults.limit(SHOWN_FAULTS):
        click.echo(f"  line {fault.line}, {fault.column}: {fault.code}: {fault.message}")
