"""Metrics from the database and the broker.

They are correct whichever process reports them, and after any restart.
"""

from collections.abc import Iterator, Mapping

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from config.version import version
from shared.jobs.states import FINAL_STATES, Channel, JobState, OutboxState
from shared.jobs.statistics import ATTEMPT_SECONDS, JobFigures, job_figures
from shared.voters.roll import roll_version
from shared.workers import Worker, all_workers

OUTBOX_METRICS = {
    Channel.MAIL: ("voters_report_mails", "Report mails by state, one for each job."),
    Channel.WEBHOOK: ("voters_webhook_calls", "Webhook calls by state, one for each job."),
}


class Figures(Collector):
    """The metrics of the database and the broker.

    `depths` has the number of messages in each queue, or is None if the broker did not answer in
    time.
    """

    def __init__(self, depths: Mapping[str, int] | None) -> None:
        self._depths = depths

    def collect(self) -> Iterator[Metric]:
        """Yield all metrics. The values of one query are from the same moment."""
        jobs = job_figures()
        yield from _of_jobs(jobs)
        yield from _of_outbox(jobs)
        yield from _of_workers(all_workers())
        yield from _of_roll()
        yield from self._of_broker()

    def _of_broker(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "voters_broker_up", "Whether the broker answers.", value=self._depths is not None
        )
        depths = GaugeMetricFamily(
            "voters_queue_messages",
            "Messages in a queue. `voter-imports.dead` has those that no worker can use.",
            labels=["queue"],
        )
        for queue, messages in (self._depths or {}).items():
            depths.add_metric([queue], messages)
        yield depths


def _of_jobs(jobs: JobFigures) -> Iterator[Metric]:
    open_jobs = GaugeMetricFamily(
        "voters_jobs_open", "Jobs that have not ended, by state.", labels=["state"]
    )
    final_jobs = CounterMetricFamily(
        "voters_jobs_finished", "Jobs that have ended, by final state.", labels=["state"]
    )
    for state in JobState:
        metric = final_jobs if state in FINAL_STATES else open_jobs
        metric.add_metric([state], jobs.states[state])
    yield open_jobs
    yield final_jobs
    yield GaugeMetricFamily(
        "voters_oldest_waiting_job_seconds",
        "How long the longest waiting job has been due. 0 if no job waits.",
        value=jobs.waiting_seconds,
    )
    yield CounterMetricFamily(
        "voters_upload_bytes", "Bytes of all accepted files.", value=jobs.size_bytes
    )
    yield CounterMetricFamily("voters_rows_read", "Rows of finished jobs.", value=jobs.rows_read)
    yield CounterMetricFamily(
        "voters_attempt_deaths",
        "Attempts that died, or found a service unavailable.",
        value=jobs.deaths,
    )
    within = [(str(seconds), jobs.attempts_within[seconds]) for seconds in ATTEMPT_SECONDS]
    yield HistogramMetricFamily(
        "voters_attempt_duration_seconds",
        "Duration of the last attempts of finished jobs.",
        buckets=[*within, ("+Inf", jobs.attempts)],
        sum_value=jobs.attempt_seconds,
    )


def _of_outbox(jobs: JobFigures) -> Iterator[Metric]:
    for channel, (name, documentation) in OUTBOX_METRICS.items():
        metric = GaugeMetricFamily(name, documentation, labels=["state"])
        for state in OutboxState:
            metric.add_metric([state], jobs.outbox[channel][state])
        yield metric


def _of_workers(workers: list[Worker]) -> Iterator[Metric]:
    gauge = GaugeMetricFamily(
        "voters_workers",
        "Workers that are alive, and those that stopped in the last day without a report.",
        labels=["state"],
    )
    alive = sum(1 for worker in workers if worker.is_alive)
    gauge.add_metric(["alive"], alive)
    gauge.add_metric(["gone"], len(workers) - alive)
    yield gauge


def _of_roll() -> Iterator[Metric]:
    yield CounterMetricFamily(
        "voters_roll_changes", "How often the roll has changed.", value=roll_version()
    )
    build = GaugeMetricFamily("voters_build", "The version that answers.", labels=["version"])
    build.add_metric([version()], 1)
    yield build
