"""Processes killed, and processes that sleep longer than their lease."""

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
    """The web server with its processes, or the master alone."""
    scene.fleet.kill("web", whole_group=rng.random() < 0.7)
    return True


def kill_worker(scene: Scene, rng: Random) -> bool:
    """A worker; its horse must end with it."""
    scene.fleet.kill(rng.choice(WORKERS), whole_group=False)
    return True


def kill_horse(scene: Scene, rng: Random) -> bool:
    """A child at work."""
    horse = pick_horse(scene, rng)
    return horse is not None and scene.fleet.send(horse.pid, signal.SIGKILL)


def pick_horse(scene: Scene, rng: Random) -> Horse | None:
    """Any child at work; waits a moment for one."""
    wait_until(lambda: bool(targets(scene)), 2)
    horses = targets(scene)
    return rng.choice(horses) if horses else None


def targets(scene: Scene) -> list[Horse]:
    """The children that may be struck. Jobs that were struck before are spared: each death makes
    the next attempt wait four times as long."""
    return [horse for horse in scene.fleet.horses() if horse.attempt <= MOST_ATTEMPTS]


def pause_worker(scene: Scene, rng: Random) -> bool:
    """A worker alone sleeps past its lease while its horse goes on."""
    pid = scene.fleet.pid(rng.choice(WORKERS))
    if not scene.fleet.send(pid, signal.SIGSTOP):
        return False
    time.sleep(LEASE_SECONDS + rng.uniform(0.5, 2.0))
    scene.fleet.send(pid, signal.SIGCONT)
    return True


def pause_attempt(scene: Scene, rng: Random) -> bool:
    """A horse and its worker sleep in the middle of their work, until another has taken over."""
    horse = pick_horse(scene, rng)
    if horse is None:
        return False
    time.sleep(rng.uniform(0.0, 1.0))
    return pause_until_taken_over(scene, rng, horse)


def pause_until_taken_over(scene: Scene, rng: Random, horse: Horse) -> bool:
    """Wakes them as soon as the next attempt runs, or so late that it may have ended."""
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
