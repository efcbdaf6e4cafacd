"""Events at processes: they are killed, or paused for longer than their lease."""

import signal
import time
from random import Random

from chaos.processes import Horse, wait_until
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


def kill_horse(scene: Scene, rng: Random) -> bool:
    """Kill a job process at work."""
    horse = pick_horse(scene, rng)
    return horse is not None and scene.fleet.send(horse.pid, signal.SIGKILL)


def pick_horse(scene: Scene, rng: Random) -> Horse | None:
    """Return a job process at work, or None if none appears within two seconds."""
    wait_until(lambda: bool(targets(scene)), 2)
    horses = targets(scene)
    return rng.choice(horses) if horses else None


def targets(scene: Scene) -> list[Horse]:
    """The job processes that events may hit.

    Jobs with more than MOST_ATTEMPTS attempts are spared. After each death the next attempt waits
    four times as long.
    """
    return [horse for horse in scene.fleet.horses() if horse.attempt <= MOST_ATTEMPTS]


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
    horse = pick_horse(scene, rng)
    if horse is None:
        return False
    time.sleep(rng.uniform(0.0, 1.0))
    return pause_until_taken_over(scene, rng, horse)


def pause_until_taken_over(scene: Scene, rng: Random, horse: Horse) -> bool:
    """Pause a job process and its worker. Resume them when the next attempt runs, or later.

    The later moment may be after the end of the next attempt. Returns whether the job process was
    paused.
    """
    pids = (horse.worker_pid, horse.pid)
    stopped = [pid for pid in pids if scene.fleet.send(pid, signal.SIGSTOP)]
    try:
        if wait_until(lambda: _is_taken_over(scene, horse), TAKEOVER_SECONDS):
            scene.happened[TAKEOVERS] += 1
        time.sleep(rng.choice((0.0, 0.0, 0.5, 2.0)))
    finally:
        for pid in stopped:
            scene.fleet.send(pid, signal.SIGCONT)
    return horse.pid in stopped


def _is_taken_over(scene: Scene, horse: Horse) -> bool:
    try:
        return scene.records.attempt_of(horse.job_id) > horse.attempt
    except OutOfReach:
        return False


EVENTS = (
    Event("web killed", kill_web, 4, kills=True),
    Event("worker killed", kill_worker, 5, kills=True),
    Event("child killed", kill_horse, 6, kills=True),
    Event("worker paused beyond its lease", pause_worker, 3, pauses=True),
    Event("attempt paused beyond its lease", pause_attempt, 3, pauses=True),
)
