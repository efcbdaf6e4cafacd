"""Drills in the quiet after the storm, one at a time, because each must always end the same.

One purges the queue while jobs wait. One restarts the broker while workers consume.
"""

import logging
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import count, islice

from chaos.clients import Clients
from chaos.processes import wait_until
from chaos.rabbitmq import Node
from chaos.rolls import RollFile, make_roll
from chaos.scene import WORKERS, Scene
from chaos.verdict import Violation
from shared.broker.connection import consumer_connection
from shared.broker.queues import QUEUE

logger = logging.getLogger(__name__)

# Far above the file numbers that the storm uses.
FIRST_NUMBER = 1_000_001
SMALL_ROWS = 30
# The promised maximum.
RETURN_SECONDS = 3.0
WAIT_SECONDS = 60.0


def purge_under_jobs(scene: Scene, clients: Clients, seed: int, jobs: int) -> Iterator[Violation]:
    """Upload while no worker runs, purge every message, then start the workers.

    The caller then waits for the jobs to end.
    """
    for name in WORKERS:
        scene.fleet.halt(name)
    before = len(scene.uploads)
    for file in islice(_small_rolls(seed), jobs):
        clients.send(file)
    with consumer_connection(scene.broker_url) as connection:
        if not scene.is_embedded:
            # A repeated purge would not report how many messages the first one removed.
            connection.transport_options["read_timeout"] = WAIT_SECONDS
        message_count = connection.channel().queue_purge(QUEUE.name)
    job_count = scene.records.count_unfinished()
    for name in WORKERS:
        scene.fleet.start(name)
    scene.drill_results["jobs under a purged queue"] = job_count
    logger.info("%d messages purged under %d jobs", message_count, job_count)
    if (len(scene.uploads) - before, job_count) != (jobs, jobs) or not message_count:
        yield Violation(
            "drill", f"{job_count} of {jobs} jobs wait, {message_count} messages purged"
        )


def _small_rolls(seed: int) -> Iterator[RollFile]:
    files = (make_roll(seed, number) for number in count(FIRST_NUMBER))
    return (file for file in files if file.fault is None and file.rows_read <= SMALL_ROWS)


def restart_under_workers(scene: Scene, node: Node) -> Iterator[Violation]:
    """Check that each worker consumes soon after the broker returns from a stop or a kill."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        node.stop(number)
        node.start()
        returned_at = time.monotonic()
        wait_until(lambda: _consumers(scene.broker_url) == len(WORKERS), WAIT_SECONDS)
        seconds = time.monotonic() - returned_at
        scene.drill_results[f"consumers back after {number.name} (s)"] = round(seconds, 1)
        if seconds > RETURN_SECONDS:
            yield Violation("deaf", f"consumers were back {seconds:.1f} s after {number.name}")


def _consumers(broker_url: str) -> int:
    with suppress(Exception), consumer_connection(broker_url) as connection:
        queue = QUEUE.bind(connection.channel()).queue_declare(passive=True)
        return int(queue.consumer_count)
    return -1
