"""One chaos campaign, from an empty folder to the list of violations."""

import logging
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from chaos import drills, storm
from chaos.clients import Clients
from chaos.evidence import Evidence, gather
from chaos.inbox import Inbox
from chaos.ports import free_ports, is_open
from chaos.postgresql import Cluster
from chaos.processes import BIN, MARK, Fleet, wait_until
from chaos.rabbitmq import Node
from chaos.records import OutOfReach, Records
from chaos.scene import LEASE_SECONDS, WORKERS, Scene
from chaos.verdict import Violation, judge
from shared.broker.doorbell import Doorbell

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parent.parent
QUIET_SECONDS = 240.0
END_WAITS_SECONDS = 5.0
SWEEP_SECONDS = 1
MOST_WAITING = 40
# If attempts wait for a roll that a paused attempt holds, a worker still needs room to take over.
FEW_WAITING = 3
CONCURRENCY = 4
SECONDS_A_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run: the source tree to test, the seed, the duration, the kind of servers."""

    seed: int
    storm_seconds: float
    is_embedded: bool
    tree: Path = ROOT
    is_pointed: bool = False
    drilled_jobs: int = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a campaign."""

    scene: Scene
    evidence: Evidence
    violations: list[Violation]


def run(plan: Plan) -> Outcome:
    """Run the storm, then the quiet, then judge. All processes have ended when it returns."""
    with _servers(plan) as (scene, inbox, url):
        token = scene.fleet.command("create-token", "chaos")
        for name in ("web", *WORKERS):
            scene.fleet.start(name)
        if not wait_until(lambda: is_open(int(url.rpartition(":")[2])), 30):
            raise RuntimeError("the web process did not start")
        clients = Clients(scene, url, token, plan.seed)
        clients.start(lambda: _has_room(scene, FEW_WAITING if plan.is_pointed else MOST_WAITING))
        try:
            storm.rage(scene, Random(plan.seed), plan.storm_seconds, is_pointed=plan.is_pointed)
        finally:
            clients.stop()
        violations = list(_unfinished(scene))
        if not plan.is_pointed:
            violations += _drill(scene, clients, plan)
        scene.swept_files = _sweep(scene.folder / "uploads")
        evidence = gather(
            scene.records, scene.folder, inbox.mails, len(scene.fleet.job_processes())
        )
    own = [Violation("ended by itself", name) for name in scene.fleet.ended_by_themselves]
    return Outcome(scene, evidence, [*violations, *own, *judge(evidence, scene.uploads, plan.seed)])


def _drill(scene: Scene, clients: Clients, plan: Plan) -> Iterator[Violation]:
    started_at = time.monotonic()
    yield from drills.purge_under_jobs(scene, clients, plan.seed, plan.drilled_jobs)
    yield from _unfinished(scene)
    scene.drill_results["uploaded, purged and run within (s)"] = round(
        time.monotonic() - started_at, 1
    )
    if scene.node is not None:
        yield from drills.restart_under_workers(scene, scene.node)


def _has_room(scene: Scene, most_waiting: int) -> bool:
    try:
        return scene.records.count_unfinished() < most_waiting
    except OutOfReach:
        return True


def _unfinished(scene: Scene) -> Iterator[Violation]:
    """Wait until no job and no mail is left to do.

    After four deaths a job waits more than a minute for its next attempt. A mail whose sender died
    waits two minutes. This function ends such waits early.
    """
    logger.info("quiet")
    started_at = time.monotonic()
    ended_waits_at = 0.0

    def is_done() -> bool:
        nonlocal ended_waits_at
        scene.fleet.revive()
        try:
            # Repeated, because some jobs of the last event are released only now.
            if time.monotonic() - ended_waits_at > END_WAITS_SECONDS:
                scene.records.end_waits()
                ended_waits_at = time.monotonic()
            return not scene.records.count_unfinished() and not scene.records.count_unsent()
        except OutOfReach:
            return False

    if not wait_until(is_done, QUIET_SECONDS, 0.5):
        yield Violation("unfinished", f"{scene.records.count_unfinished()} jobs after the quiet")
    wait_until(lambda: not scene.fleet.job_processes(), 5)
    logger.info("quiet for %.0f s", time.monotonic() - started_at)


def _sweep(uploads: Path) -> int:
    """Make the stored files look a day old and wait for the workers to remove the orphans.

    Returns the number of removed files.
    """
    files = list(uploads.iterdir())
    long_ago = time.time() - SECONDS_A_DAY
    for file in files:
        os.utime(file, (long_ago, long_ago))
    time.sleep(3 * SWEEP_SECONDS)
    return len(files) - len(list(uploads.iterdir()))


@contextmanager
def _servers(plan: Plan) -> Iterator[tuple[Scene, Inbox, str]]:
    """The servers, a mail server and a migrated database, before the service starts."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="voter-chaos-")))
        folder.chmod(0o755)
        for name in ("logs", "tmp", "uploads", "node", "cluster"):
            (folder / name).mkdir()
        mark = secrets.token_hex(8)
        mail_port, web_port = free_ports(2)
        inbox = Inbox(mail_port)
        stack.enter_context(inbox.open())
        node = cluster = None
        database_url = f"sqlite:///{folder}/voters.db"
        broker_url = f"filesystem://{folder}/broker"
        if not plan.is_embedded:
            cluster = stack.enter_context(Cluster(folder / "cluster").open())
            node = stack.enter_context(Node(folder / "node", mark).open())
            database_url, broker_url = cluster.url, node.url
        environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            MARK: mark,
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "DATABASE_URL": database_url,
            "BROKER_URL": broker_url,
            "UPLOAD_STORE": f"file:{folder}/uploads",
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(mail_port),
            "ADMIN_EMAIL": "admin@example.edu",
            "PORT": str(web_port),
            "WEB_CONCURRENCY": "1",
            "LEASE_SECONDS": str(LEASE_SECONDS),
            "POLL_SECONDS": "0.25",
            "CONSUMER_CONCURRENCY": str(CONCURRENCY),
            "SWEEP_SECONDS": str(SWEEP_SECONDS),
            # No job may fail only because many events hit it.
            "MAX_ATTEMPTS": "100",
        }
        fleet = Fleet(plan.tree, environment, folder / "logs")
        stack.callback(fleet.stop)
        fleet.command("migrate")
        doorbell = Doorbell(broker_url)
        stack.callback(doorbell.close)
        scene = Scene(fleet, Records(database_url), doorbell, broker_url, folder, node, cluster)
        yield scene, inbox, f"http://127.0.0.1:{web_port}"
