"""The state after the quiet: the database, the logs, the mails, the disk, the processes."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from chaos.expected_roll import Voter
from chaos.records import Records
from shared.audit import Action, AuditEntry
from shared.database.connection import database, open_database
from shared.jobs.models import Job, OutboxEntry
from shared.jobs.states import Channel
from shared.voters.models import Voter as RollEntry

UPLOAD = "/api/upload/"
ADVISORY_LOCKS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
TEMPORARY_TABLES = "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the campaign found, read once after the last job has ended."""

    jobs: list[Job]
    roll: dict[str, Voter]
    entries: Counter[tuple[str, str]]
    successes: list[tuple[UUID, int]]
    defects: Counter[str]
    is_deployed: bool
    slowest_upload_seconds: float
    mails: Counter[UUID]
    mail_states: dict[UUID, str]
    job_processes: int
    advisory_locks: int
    temporary_tables: int
    stored_keys: frozenset[str]
    temporary_files: int


def gather(records: Records, folder: Path, mails: Counter[UUID], job_processes: int) -> Evidence:
    """Collect the evidence.

    `successes` holds the (job, attempt) of every attempt whose log line says success. The slowest
    upload is the longest time, in seconds, of a request that the web process answered with 202.
    """
    open_database(records.url)
    with database.connection_context():
        jobs = list(Job.select().order_by(Job.finished_at))
        roll = {
            entry.student_id: (
                entry.first_name,
                entry.last_name,
                entry.email,
                entry.department,
                entry.year,
                entry.is_eligible,
            )
            for entry in RollEntry.select()
        }
        mail_states: dict[UUID, str] = {
            entry.job_id: entry.state
            for entry in OutboxEntry.select().where(OutboxEntry.channel == Channel.MAIL)
        }
        entries = Counter(
            (entry.action, str(entry.subject))
            for entry in AuditEntry.select()
            if entry.action in (Action.UPLOAD, Action.IMPORT)
        )
    lines = list(_log_lines(folder / "logs"))
    return Evidence(
        jobs=jobs,
        roll=roll,
        entries=entries,
        successes=[
            (UUID(line["job_id"]), int(line["attempt"]))
            for line in lines
            if line["event"] == "attempt ended" and line.get("outcome") == "success"
        ],
        defects=Counter(
            f"{line['event']}: {str(line.get('exception', '')).strip().rpartition(chr(10))[2]}"
            for line in lines
            if line["level"] in ("ERROR", "CRITICAL")
        ),
        is_deployed=records.is_postgresql,
        slowest_upload_seconds=max(
            (line["duration_ms"] / 1000 for line in lines if _is_accepted_upload(line)),
            default=0.0,
        ),
        mails=mails,
        mail_states=mail_states,
        job_processes=job_processes,
        advisory_locks=_count(records, ADVISORY_LOCKS),
        temporary_tables=_count(records, TEMPORARY_TABLES),
        stored_keys=frozenset(path.name for path in (folder / "uploads").glob("*")),
        temporary_files=len(list((folder / "tmp").rglob("*"))),
    )


def _count(records: Records, question: str) -> int:
    return int(records.ask(question)[0][0]) if records.is_postgresql else 0


def _is_accepted_upload(line: dict[str, Any]) -> bool:
    return (line["event"], line.get("route"), line.get("status")) == ("request", UPLOAD, 202)


def _log_lines(folder: Path) -> Iterator[dict[str, Any]]:
    """The log lines of the service. A traceback outside of the log becomes an ERROR line."""
    for path in folder.glob("*.log"):
        in_traceback = False
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            if text.startswith("Traceback"):
                in_traceback = True
            elif in_traceback and text[:1].strip():
                in_traceback = False
                yield {"event": f"uncaught {text[:120]}", "level": "ERROR"}
            line = _parse(text)
            if "event" in line:
                yield line


def _parse(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except ValueError:
        return {}
    return line if isinstance(line, dict) else {}
