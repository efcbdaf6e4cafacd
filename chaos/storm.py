"""The storm: the events that may happen, and the loop that runs them."""

import logging
import sqlite3
import threading
import time
from random import Random

import psycopg

from chaos import broker_events, database_events, process_events
from chaos.records import OutOfReach
from chaos.scene import Event, Scene

logger = logging.getLogger(__name__)

DEPLOYED = (
    *process_events.EVENTS,
    *broker_events.EVENTS,
    *broker_events.NODE_EVENTS,
    *database_events.EVENTS,
)
EMBEDDED = (
    *process_events.EVENTS,
    *broker_events.EVENTS,
    *broker_events.EMBEDDED_EVENTS,
    *database_events.EMBEDDED_EVENTS,
)
# Events at an attempt's most critical moments. They suffice to show a broken promise.
POINTED = (
    "attempt paused beyond its lease",
    "paused before the apply",
    "struck at the finish",
    "struck after the apply",
    "database file held, child killed",
)
AT_ONCE = 2


def rage(scene: Scene, rng: Random, seconds: float, *, is_pointed: bool) -> None:
    """Run events for `seconds`, at most two at a time, and restart dead processes meanwhile."""
    events = [
        event
        for event in (EMBEDDED if scene.is_embedded else DEPLOYED)
        if not is_pointed or event.name in POINTED
    ]
    weights = [event.weight for event in events]
    active: list[tuple[Event, threading.Thread]] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        scene.fleet.revive()
        active = [(event, thread) for event, thread in active if thread.is_alive()]
        if len(active) < AT_ONCE:
            event = rng.choices(events, weights)[0]
            if not any(_excludes(other, event) for other, _ in active):
                thread = threading.Thread(target=_run_event, args=(scene, event, rng.random()))
                thread.start()
                active.append((event, thread))
        time.sleep(rng.uniform(0.1, 0.8))
    for _, thread in active:
        thread.join()


def _excludes(other: Event, event: Event) -> bool:
    """Whether two events exclude each other. Two of the same kind would undo each other."""
    return event == other or (event.pauses and other.pauses) or (event.holds and other.holds)


def _run_event(scene: Scene, event: Event, seed: float) -> None:
    try:
        has_happened = event.act(scene, Random(seed))
    except (OutOfReach, psycopg.Error, sqlite3.OperationalError) as error:
        # Another event has stopped or locked the database.
        logger.info("%s: %s", event.name, type(error).__name__)
        return
    if has_happened:
        scene.event_counts[event.name] += 1
        logger.info("%s", event.name)


def count_kills(scene: Scene) -> int:
    """How many events have killed something so far."""
    return _count(scene, {event.name for event in (*DEPLOYED, *EMBEDDED) if event.kills})


def count_pauses(scene: Scene) -> int:
    """How many events have paused a worker past its lease, alone or with a job process."""
    return _count(scene, {event.name for event in (*DEPLOYED, *EMBEDDED) if event.pauses})


def _count(scene: Scene, names: set[str]) -> int:
    return sum(times for name, times in scene.event_counts.items() if name in names)
