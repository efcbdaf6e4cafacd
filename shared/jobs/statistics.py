"""Counts over all jobs, for metrics: what there was, what there is, what waits."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from peewee import Case, fn

from shared.database.sql import clock, seconds_between
from shared.jobs.models import Job
from shared.jobs.outbox import count_states
from shared.jobs.states import FINAL_STATES, WAITING_STATES, Channel, OutboxState

# Upper bounds, in seconds, of the histogram of the durations of last attempts.
ATTEMPT_SECONDS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0)


@dataclass(slots=True)
class JobFigures:
    """Sums over all jobs that there have been.

    Sums of finished jobs never fall, because jobs stay when their files are deleted.
    """

    states: Counter[str] = field(default_factory=Counter)
    # The report mails and the webhook calls by state. Each job counts once in each channel.
    outbox: dict[Channel, Counter[str]] = field(default_factory=dict)
    size_bytes: int = 0
    deaths: int = 0
    # Of finished jobs: the rows read, and the number that ever started. Also the total duration of
    # the last attempts, and how many of these took no longer than each of ATTEMPT_SECONDS.
    rows_read: int = 0
    attempts: int = 0
    attempt_seconds: float = 0.0
    attempts_within: Counter[float] = field(default_factory=Counter)
    # The time since the longest-waiting job became due.
    waiting_seconds: float = 0.0

    def add(self, row: Mapping[str, Any]) -> None:
        """Add the jobs of one state."""
        jobs = int(row["jobs"])
        self.states[row["state"]] += jobs
        self.size_bytes += int(row["size_bytes"])
        self.deaths += int(row["deaths"])
        if row["state"] in WAITING_STATES:
            self.waiting_seconds = max(self.waiting_seconds, float(row["waiting_seconds"]))
        if row["state"] in FINAL_STATES:
            self.rows_read += int(row["rows_read"])
            self.attempts += int(row["attempts"])
            self.attempt_seconds += float(row["attempt_seconds"] or 0.0)
            for number, seconds in enumerate(ATTEMPT_SECONDS):
                self.attempts_within[seconds] += int(row[f"within_{number}"] or 0)


def job_figures() -> JobFigures:
    """Return the counts at this moment."""
    # Counted before the jobs, so there are never more entries than jobs.
    outbox = count_states()
    took = seconds_between(Job.finished_at, Job.started_at)
    query = Job.select(
        Job.state,
        fn.COUNT(Job.id).alias("jobs"),
        fn.SUM(Job.size_bytes).alias("size_bytes"),
        fn.SUM(Job.deaths).alias("deaths"),
        fn.SUM(Job.rows_read).alias("rows_read"),
        fn.COUNT(Job.started_at).alias("attempts"),
        fn.SUM(took).alias("attempt_seconds"),
        fn.MAX(seconds_between(clock(), Job.not_before)).alias("waiting_seconds"),
        *(
            fn.SUM(Case(None, [(took <= seconds, 1)], 0)).alias(f"within_{number}")
            for number, seconds in enumerate(ATTEMPT_SECONDS)
        ),
    ).group_by(Job.state)
    figures = JobFigures(outbox=outbox)
    rows: Any = query.dicts()
    for row in rows:
        figures.add(row)
    for states in outbox.values():
        states[OutboxState.NONE] += figures.states.total() - states.total()
    return figures
