"""Events at the database: sessions end, the server restarts, locks are held when it hurts most."""

import signal
import sqlite3
import time
from contextlib import closing
from random import Random
from typing import Any

import psycopg

from chaos.process_events import pause_until_taken_over, pick_job_process, targets
from chaos.processes import JobProcess, wait_until
from chaos.records import hold_roll, release_roll
from chaos.scene import Event, Scene

SERVICE = "application_name = 'student-voter-system'"
BLOCKED = f"SELECT pid FROM pg_stat_activity WHERE {SERVICE} AND wait_event_type = 'Lock'"  # noqa: S608
WAITING = f"{BLOCKED} AND wait_event = 'advisory'".encode()
FINISHING = f"{BLOCKED} AND query LIKE '%finished_at%'".encode()
APPLYING = "SELECT id FROM job WHERE state = 'STARTED' AND phase = 'applying'"
Session = psycopg.Connection[tuple[Any, ...]]


def end_sessions(scene: Scene, rng: Random) -> bool:
    """End half of the service's database sessions, or all of them."""
    share = rng.choice((0.5, 1.0))
    with scene.records.session() as session:
        rows = session.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"  # noqa: S608
            f" WHERE {SERVICE} AND random() < {share}"
        ).fetchall()
    return bool(rows)


def restart_cluster(scene: Scene, rng: Random) -> bool:
    """Stop PostgreSQL with a fast shutdown or a crash, and start it within two seconds."""
    if scene.cluster is None:
        return False
    scene.cluster.stop(rng.choice((signal.SIGINT, signal.SIGQUIT)))
    time.sleep(rng.uniform(0.0, 2.0))
    scene.cluster.start()
    return True


def kill_before_the_apply(scene: Scene, rng: Random) -> bool:
    """Kill a job process after it has compared all rows and before it applies a change."""
    with scene.records.session() as session:
        job_process = _hold_roll_against(scene, session, rng)
        return job_process is not None and scene.fleet.send(job_process.pid, signal.SIGKILL)


def pause_before_the_apply(scene: Scene, rng: Random) -> bool:
    """Pause a job process and its worker past the lease, after the compare, before the apply."""
    with scene.records.session() as session:
        job_process = _hold_roll_against(scene, session, rng)
        if job_process is None:
            return False
        scene.fleet.send(job_process.worker_pid, signal.SIGSTOP)
        scene.fleet.send(job_process.pid, signal.SIGSTOP)
        release_roll(session)
    return pause_until_taken_over(scene, rng, job_process)


def strike_at_the_finish(scene: Scene, rng: Random) -> bool:
    """Kill a job process and its session when the roll is changed and the job is not finished.

    Another session locks the job's row, so the attempt waits at this moment.
    """
    with scene.records.session() as session, scene.records.session() as locker:
        job_process = _hold_roll_against(scene, session, rng)
        if job_process is None:
            return False
        locker.execute("BEGIN")
        locker.execute("SELECT 1 FROM job WHERE id = %s FOR UPDATE", (job_process.job_id,))
        release_roll(session)
        if not wait_until(lambda: bool(session.execute(FINISHING).fetchall()), 3):
            return False
        is_killed = scene.fleet.send(job_process.pid, signal.SIGKILL)
        for (pid,) in session.execute(FINISHING).fetchall():
            session.execute("SELECT pg_terminate_backend(%s)", (pid,))
        time.sleep(0.2)
    return is_killed


def _hold_roll_against(scene: Scene, session: Session, rng: Random) -> JobProcess | None:
    """Take the roll's lock, and return a job process that now waits for it, or None."""
    hold_roll(session)
    if not wait_until(lambda: bool(session.execute(WAITING).fetchall()), 5):
        return None
    job_ids = {job_id for (job_id,) in session.execute(APPLYING).fetchall()}
    job_processes = [job_process for job_process in targets(scene) if job_process.job_id in job_ids]
    return rng.choice(job_processes) if job_processes else None


def hold_sqlite(scene: Scene, rng: Random) -> bool:
    """Hold SQLite's write lock for up to two seconds. A job process may be killed meanwhile."""
    with closing(scene.records.sqlite_connection(10)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(rng.uniform(0.3, 2.0))
        job_process = pick_job_process(scene, rng)
        is_killed = job_process is not None and rng.random() < 0.7
        if job_process is not None and is_killed:
            scene.fleet.send(job_process.pid, signal.SIGKILL)
        connection.execute("ROLLBACK")
    return is_killed


def strike_after_the_apply(scene: Scene, rng: Random) -> bool:
    """Kill all job processes at the moment when the applying one releases SQLite's write lock."""
    with closing(scene.records.sqlite_connection(0)) as connection:
        if not wait_until(lambda: _is_applying(connection), 5, 0.001):
            return False
        was_busy = False
        until = time.monotonic() + 3
        while time.monotonic() < until:
            if not _has_begun(connection):
                was_busy = True
                continue
            if was_busy:
                job_processes = scene.fleet.job_processes()
                kills = [
                    scene.fleet.send(job_process.pid, signal.SIGKILL)
                    for job_process in job_processes
                ]
                connection.execute("ROLLBACK")
                return any(kills)
            connection.execute("ROLLBACK")
    return False


def _is_applying(connection: sqlite3.Connection) -> bool:
    question = "SELECT 1 FROM job WHERE state = 'STARTED' AND phase = 'applying'"
    return connection.execute(question).fetchone() is not None


def _has_begun(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return False
    return True


EVENTS = (
    Event("database sessions ended", end_sessions, 2, kills=True),
    Event("PostgreSQL restarted", restart_cluster, 1, kills=True),
    Event("killed before the apply", kill_before_the_apply, 1, kills=True, holds=True),
    Event("paused before the apply", pause_before_the_apply, 3, pauses=True, holds=True),
    Event("struck at the finish", strike_at_the_finish, 3, kills=True, holds=True),
)
EMBEDDED_EVENTS = (
    Event("database file held, child killed", hold_sqlite, 3, kills=True),
    Event("struck after the apply", strike_after_the_apply, 3, kills=True),
)
