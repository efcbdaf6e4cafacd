"""What an event can act on: the service, its servers, and the uploads accepted so far."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from uuid import UUID

from chaos.postgresql import Cluster
from chaos.processes import Fleet
from chaos.rabbitmq import Node
from chaos.records import Records
from shared.broker.doorbell import Doorbell

LEASE_SECONDS = 2.0
WORKERS = ("worker-1", "worker-2")


@dataclass
class Scene:
    """A running service. `node` and `cluster` are None with SQLite and the embedded broker."""

    fleet: Fleet
    records: Records
    doorbell: Doorbell
    broker_url: str
    folder: Path
    node: Node | None = None
    cluster: Cluster | None = None
    uploads: dict[UUID, int] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    slowest_answer_seconds: float = 0.0
    swept_files: int = 0
    event_counts: Counter[str] = field(default_factory=Counter)
    drill_results: dict[str, float] = field(default_factory=dict)

    @property
    def is_embedded(self) -> bool:
        """Whether the service uses SQLite and the embedded broker."""
        return self.node is None


# Acts on the scene. Returns False if there was nothing to act on.
Act = Callable[[Scene, Random], bool]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that may happen at any moment. `weight` is its frequency relative to the others.

    Only one event with `pauses` (a worker past its lease) runs at a time, because the other worker
    must take over. Only one event with `holds` (the roll's lock) runs at a time, because two would
    wait for each other.
    """

    name: str
    act: Act
    weight: int
    kills: bool = False
    pauses: bool = False
    holds: bool = False
