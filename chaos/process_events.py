"""Events at processes: they are killed, or paused for longer than their lease."""

import signal
import time
from random import Random

from chaos.processes import JobProcess, wait_until
from chaos.records import OutOfReach
from chaos.scene import LEASE_SECONDS, WORKERS, Event, Scene

MOST_ATTEMPTS = 2
TAKEOVERS = "attempts taken over in their sleep"
TAKEOVER_SECONDS = LEASE_SECONDS + 4


def kill_web(scene: Scene, rng: Random) -> bool:
    """Kill the web server with its processes, or only its master process."""
    scene.fleet.kill("web", whole_group=rng.random() < 0.7)
    return True


def kill_worker(scene: Scene, rng: Random) -> bool:
    """Kill a worker. Its job process must end with it."""
    scene.fleet.kill(rng.choice(WORKERS), whole_group=False)
    return True


def kill_job_process(scene: Scene, rng: Random) -> bool:
    """Kill a job process at work."""
    job_process = pick_job_process(scene, rng)
    return job_process is not None and scene.fleet.send(job_process.pid, signal.SIGKILL)


def kill_template(scene: Scene, rng: Random) -> bool:
    """Kill a template process. Its job processes must end with it."""
    templates = scene.fleet.templates()
    return bool(templates) and scene.fleet.send(rng.choice(templates), signal.SIGKILL)


def pick_job_process(scene: Scene, rng: Random) -> JobProcess | None:
    """Return a job process at work, or None if none appears within two seconds."""
    wait_until(lambda: bool(targets(scene)), 2)
    job_processes = targets(scene)
    return rng.choice(job_processes) if job_processes else None


def targets(scene: Scene) -> list[JobProcess]:
    """The job processes that events may hit.

    Jobs with more than MOST_ATTEMPTS attempts are spared. After each death the next attempt waits
    four times as long.
    """
    return [
        job_process
        for job_process in scene.fleet.job_processes()
        if job_process.attempt <= MOST_ATTEMPTS
    ]


def pause_worker(scene: Scene, rng: Random) -> bool:
    """Pause only a worker past its lease, while its job process goes on."""
    pid = scene.fleet.pid(rng.choice(WORKERS))
    if not scene.fleet.send(pid, signal.SIGSTOP):
        return False
    time.sleep(LEASE_SECONDS + rng.uniform(0.5, 2.0))
    scene.fleet.send(pid, signal.SIGCONT)
    return True


def pause_attempt(scene: Scene, rng: Random) -> bool:
    """Pause a job process and its worker at work, until another worker has taken over."""
    job_process = pick_job_process(scene, rng)
    if job_process is None:
        return False
    time.sleep(rng.uniform(0.0, 1.0))
    return pause_until_taken_over(scene, rng, job_process)


def pause_until_taken_over(scene: Scene, rng: Random, job_process: JobProcess) -> bool:
    """Pause a job process and its worker. Resume them when the next attempt runs, or later.

    The later moment may be after the end of the next attempt. Returns whether the job process was
    paused.
    """
    pids = (job_process.worker_pid, job_process.pid)
    stopped_pids = [pid for pid in pids if scene.fleet.send(pid, signal.SIGSTOP)]
    try:
        if wait_until(lambda: _is_taken_over(scene, job_process), TAKEOVER_SECONDS):
            scene.event_counts[TAKEOVERS] += 1
        time.sleep(rng.choice((0.0, 0.0, 0.5, 2.0)))
    finally:
        for pid in stopped_pids:
            scene.fleet.send(pid, signal.SIGCONT)
    return job_process.pid in stopped_pids


def _is_taken_over(scene: Scene, job_process: JobProcess) -> bool:
    try:
        return scene.records.attempt_of(job_process.job_id) > job_process.attempt
    except OutOfReach:
        return False


EVENTS = (
    Event("web killed", kill_web, 4, kills=True),
    Event("worker killed", kill_worker, 5, kills=True),
    Event("child killed", kill_job_process, 6, kills=True),
    Event("template killed", kill_template, 3, kills=True),
    Event("worker paused beyond its lease", pause_worker, 3, pauses=True),
    Event("attempt paused beyond its lease", pause_attempt, 3, pauses=True),
)
